//! Relative links, and paths of this repository that a text names.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::Document;
use crate::support::ROOT;

/// The target of a link from a document, without `.` and `..`.
fn resolve(document: &Path, target: &str) -> PathBuf {
    let mut path = document.parent().unwrap().to_owned();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => assert!(path.pop(), "`{target}` leaves the repository"),
            part => path.push(part),
        }
    }
    path
}

/// What is wrong with a link.
fn problem(document: &Document, link: &str) -> Option<String> {
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = match target {
        "" => document.path.clone(),
        target => resolve(&document.path, target),
    };
    if !Path::new(ROOT).join(&path).exists() {
        return Some(format!("`{link}`: `{}` does not exist", path.display()));
    }
    if anchor.is_empty() {
        return None;
    }
    let anchors = Document::read(path.to_str().unwrap()).markdown.anchors;
    let known = anchors.iter().any(|known| known == anchor);
    (!known).then(|| format!("`{link}`: `{}` has no such heading", path.display()))
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut problems = Vec::new();
    let mut checked = 0;
    for document in Document::all() {
        for link in &document.markdown.links {
            if link.contains("://") {
                assert!(link.starts_with("https://"), "{link}");
                continue;
            }
            checked += 1;
            if let Some(problem) = problem(&document, link) {
                problems.push(format!("{}: {problem}", document.path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > 60, "{checked} links");
}

#[test]
fn named_paths_exist() {
    let path = Regex::new(
        r"^(src|tests|docs|plans|templates|snapshots|proto|benches|packaging|\.ci)/[\w/.-]+$",
    )
    .unwrap();
    let mut missing = Vec::new();
    let mut checked = 0;
    for document in Document::all() {
        // The changelog may name what later versions removed.
        if document.path == Path::new("CHANGELOG.md") {
            continue;
        }
        for span in document
            .markdown
            .spans
            .iter()
            .filter(|span| path.is_match(span))
        {
            checked += 1;
            if !Path::new(ROOT).join(span).exists() {
                missing.push(format!("{}: `{span}`", document.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(checked > 30, "{checked} paths");
}

#[test]
fn bad_links_are_found() {
    let security = Document::read("SECURITY.md");
    assert_eq!(problem(&security, "README.md#install"), None);
    assert!(problem(&security, "README.md#uninstall").is_some());
    assert!(problem(&security, "docs/missing.md").is_some());
}

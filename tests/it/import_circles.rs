//! Files do not import each other in circles, except a parent module with its children.

use std::collections::{BTreeMap, BTreeSet};

use crate::architecture::sources;

/// A path's segments: `["cluster", "local", "client"]`.
type Path = Vec<String>;

/// The module of a file.
fn module(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The paths of an import tree: `a::{b, c::d as e}` are `a::b` and `a::c::d`.
fn paths(tree: &str, before: &[String]) -> Vec<Path> {
    let Some((head, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        let segments = name.trim().split("::").filter(|name| *name != "self");
        let path = before.iter().cloned().chain(segments.map(str::to_owned));
        return vec![path.collect()];
    };
    let head = head.trim().trim_end_matches("::").split("::");
    let before: Path = before
        .iter()
        .cloned()
        .chain(head.map(str::to_owned))
        .collect();
    let (mut items, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
        match c {
            ',' if depth == 0 => items.push(String::new()),
            c => items.last_mut().unwrap().push(c),
        }
    }
    let items = items.iter().filter(|item| !item.trim().is_empty());
    items.flat_map(|item| paths(item.trim(), &before)).collect()
}

/// The imports of a file, and whether each is a re-export; paths start at the crate's root.
fn imports(file: &str, code: &str) -> Vec<(bool, Path)> {
    let mut found = Vec::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("use ").filter(|at| {
            let line = statement[..*at].rsplit('\n').next().unwrap_or_default();
            line.trim().is_empty() || line.trim().starts_with("pub")
        });
        match start {
            Some(at) => {
                let is_public = statement[..at].trim_end().ends_with(['b', ')']);
                let tree = statement[at + 4..].trim_end_matches(';');
                found.extend(paths(tree, &[]).into_iter().map(|path| (is_public, path)));
                rest += &statement[..at];
            }
            None => rest += statement,
        }
    }
    for root in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(root) {
            let is_start = !rest[..at].ends_with([':', '_']);
            let end = rest[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let path = &rest[at..end.map_or(rest.len(), |end| at + end)];
            if is_start {
                found.extend(
                    paths(path.trim_end_matches(':'), &[])
                        .into_iter()
                        .map(|path| (false, path)),
                );
            }
        }
    }
    let own = module(file);
    let absolute = |path: Path| -> Path {
        let up = path
            .iter()
            .take_while(|segment| *segment == "super")
            .count();
        match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("super") => [&own[..own.len() - up.min(own.len())], &path[up..]].concat(),
            // A child, or another crate, which is no file here.
            _ => [&own[..], &path[..]].concat(),
        }
    };
    found
        .into_iter()
        .map(|(is_public, path)| (is_public, absolute(path)))
        .collect()
}

/// For each file the files that it imports from, through re-exports. Imports between a module and those inside
/// of it are left out.
fn graph(sources: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let files: BTreeMap<Path, &String> = sources.keys().map(|file| (module(file), file)).collect();
    let imports: BTreeMap<&String, _> = sources
        .iter()
        .map(|(file, code)| (file, imports(file, code)))
        .collect();
    let mut exports: BTreeMap<(Path, String), Path> = BTreeMap::new();
    for (file, imports) in &imports {
        for (_, path) in imports.iter().filter(|(is_public, _)| *is_public) {
            let name = path.last().cloned().unwrap_or_default();
            exports.insert((module(file), name), path.clone());
        }
    }
    let resolve = |mut path: Path| -> Option<Path> {
        // A chain of re-exports is short.
        for _ in 0..10 {
            let known = (0..=path.len())
                .rev()
                .find(|end| files.contains_key(&path[..*end]))?;
            let (file, rest) = path.split_at(known);
            let name = rest.first().cloned().unwrap_or_default();
            match exports.get(&(file.to_vec(), name)) {
                Some(export) if *export != path => path = [&export[..], &rest[1..]].concat(),
                _ => return Some(file.to_vec()),
            }
        }
        None
    };
    let edges = imports.iter().map(|(file, imports)| {
        let own = module(file);
        let targets = imports.iter().filter_map(|(_, path)| resolve(path.clone()));
        let others = targets.filter(|other| !own.starts_with(other) && !other.starts_with(&own));
        (
            (*file).clone(),
            others.map(|other| files[&other].clone()).collect(),
        )
    });
    edges.collect()
}

/// The files that import themselves through others.
fn in_circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<&String> {
    let is_in_circle = |start: &&String| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = graph[*start].iter().collect();
        while let Some(file) = next.pop() {
            if reached.insert(file) {
                next.extend(&graph[file]);
            }
        }
        reached.contains(start)
    };
    graph.keys().filter(is_in_circle).collect()
}

#[test]
fn files_import_each_other_in_no_circles() {
    let graph = graph(&sources());
    let circles = in_circles(&graph);
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_circle_through_a_reexport_is_found() {
    let files = |text: &[(&str, &str)]| -> BTreeMap<String, String> {
        let own = |(file, code): &(&str, &str)| ((*file).to_owned(), (*code).to_owned());
        text.iter().map(own).collect()
    };
    let mut sources = files(&[
        (
            "room/mod.rs",
            "mod a;\nmod b;\npub use a::{One, Two as Other};\n",
        ),
        ("room/a.rs", "use super::b;\n\npub struct One;"),
        (
            "room/b.rs",
            "use std::fmt::{self, Display};\nuse crate::{room::{One}, other::X};\n",
        ),
        ("room/c.rs", "fn f() { super::b::g() }"),
        ("other.rs", ""),
    ]);
    assert_eq!(in_circles(&graph(&sources)), ["room/a.rs", "room/b.rs"]);
    assert!(graph(&sources)["room/c.rs"].contains("room/b.rs"));
    sources.insert("room/b.rs".to_owned(), "use super::c;".to_owned());
    sources.insert("room/c.rs".to_owned(), String::new());
    assert!(in_circles(&graph(&sources)).is_empty());
}

//! The documents say what is true: their links lead somewhere, their commands parse, their plans are right.

mod commands;
mod links;
mod markdown;
mod plans;

use std::fs;
use std::path::{Path, PathBuf};

use self::markdown::Markdown;
use crate::support::ROOT;

/// A Markdown file of this repository.
struct Document {
    /// From the repository's root.
    path: PathBuf,
    text: String,
    markdown: Markdown,
}

impl Document {
    fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
        let markdown = Markdown::parse(&text);
        let path = PathBuf::from(path);
        Self {
            path,
            text,
            markdown,
        }
    }

    /// The documents for people: those at the root, in `docs/` and in `plans/`.
    fn all() -> Vec<Self> {
        let mut paths = Vec::new();
        for folder in ["", "docs/", "plans/"] {
            for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if Path::new(&name).extension() == Some("md".as_ref()) {
                    paths.push(format!("{folder}{name}"));
                }
            }
        }
        assert!(paths.len() > 12, "{paths:?}");
        paths.iter().map(|path| Self::read(path)).collect()
    }
}

#[test]
fn the_architecture_names_every_module() {
    let library = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let modules = library.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ")?.strip_suffix(';')?;
        Some(format!("\n  {name}/ "))
    });
    let modules: Vec<String> = modules.collect();
    assert!(modules.len() > 10, "{modules:?}");
    let architecture = Document::read("ARCHITECTURE.md").text;
    for module in modules {
        assert!(architecture.contains(&module), "{module}");
    }
}

#[test]
fn the_readme_is_short_and_begins_with_the_two_commands() {
    let readme = Document::read("README.md");
    assert!(readme.text.len() <= 8192, "{} bytes", readme.text.len());
    let first_screen: Vec<&str> = readme.text.lines().take(24).collect();
    for command in ["    make run ", "    make test "] {
        let is_there = first_screen.iter().any(|line| line.starts_with(command));
        assert!(is_there, "`{command}` is not on the first screen");
    }
}

//! Every bad plan in tests/cases/ has its rendered problems in snapshots/cases/. A new case is a new file. A line
//! `# --set …` at the head of a case is given to the plan as on the command line. What cases extend is in
//! tests/cases/extended/.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use netplan::diag::{Problems, Source};
use netplan::plan::{self, PlanFile, SourceEnv, Unreadable};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The cases by name, with their text and what they set.
pub fn cases() -> Vec<(String, String, Vec<String>)> {
    let mut cases: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let set = text
                .lines()
                .filter_map(|line| line.strip_prefix("# --set "));
            let set = set.map(str::to_owned).collect();
            (name, text, set)
        })
        .collect();
    cases.sort();
    cases
}

/// The files of this repository, and an environment of our own.
struct Here;

impl SourceEnv for Here {
    fn read(&self, file: &Path) -> Result<String, Unreadable> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        Ok(std::fs::read_to_string(file)?)
    }

    fn files(&self, folder: &Path) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "FIVE" => Some("5".to_owned()),
            "EMPTY" => Some(String::new()),
            "TEAM" => Some("Team Red".to_owned()),
            _ => None,
        }
    }
}

/// Reads a text as the file of this name, from the repository's root.
pub fn load(name: &str, text: &str, set: &[String]) -> Result<PlanFile, Problems> {
    plan::load_file(&Here, Source::new(name, text), set)
}

#[test]
fn every_bad_plan_is_refused_in_its_words() {
    let mut snapshots = crate::support::snapshots();
    snapshots.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cases"));
    let cases = cases();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    for (name, text, set) in cases {
        let Err(problems) = load(&format!("tests/cases/{name}.yaml"), &text, &set) else {
            panic!("tests/cases/{name}.yaml has no problems");
        };
        snapshots.bind(|| insta::assert_snapshot!(name, problems));
    }
}

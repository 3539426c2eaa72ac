//! Every bad plan in tests/cases/ has its rendered problems in snapshots/. A new case is a new
//! file. A line `# --set …` at the head of a case is given to the plan as it would be on the
//! command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use netplan::diag::Source;
use netplan::plan;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The cases by name, with their text and what they set.
pub fn cases() -> Vec<(String, String, Vec<String>)> {
    let mut cases: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
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

#[test]
fn every_bad_plan_is_refused_in_its_words() {
    let cases = cases();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    for (name, text, set) in cases {
        let source = Source::new(format!("tests/cases/{name}.yaml"), text);
        let Err(problems) = plan::load(source, &set) else {
            panic!("tests/cases/{name}.yaml has no problems");
        };
        crate::support::snapshots().bind(|| {
            insta::assert_snapshot!(format!("case_{name}"), problems);
        });
    }
}

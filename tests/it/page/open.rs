//! `netplan report --open`.

use std::fs;
use std::path::Path;

use netplan::results::journal::Journal;
use netplan::schedule::{Schedule, Selection};

use crate::made::{self, End, Fate};
use crate::support::Netplan;

fn store(folder: &Path) {
    let plan = made::plan(&[made::tcp(256, 1)]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut journal = Journal::create(folder).unwrap();
    for event in &made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured) {
        journal.append(event).unwrap();
    }
}

#[test]
fn the_page_is_written_and_a_session_without_a_display_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let report = || {
        Netplan::in_folder(folder.path())
            .env("DISPLAY", "")
            .env("WAYLAND_DISPLAY", "")
    };
    let ended = report().args(["report", ".", "--open"]).run();
    let ended = ended.expect(1);
    assert!(ended.stdout.is_empty(), "{ended:?}");
    assert!(
        ended.stderr.contains("this session has no display")
            && ended.stderr.contains("open `./report.html` in a browser"),
        "{ended:?}"
    );
    let written = fs::read_to_string(folder.path().join("report.html")).unwrap();
    // The same bytes as those that are printed.
    let printed = report().args(["report", ".", "--format", "html"]).run();
    assert_eq!(printed.expect(0).stdout, written);
    let both = report().args(["report", ".", "--open", "--format", "json"]);
    assert!(both.run().expect(2).stderr.contains("cannot be used with"));
}

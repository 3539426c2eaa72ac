//! Journals and run directories: what is on disk is never more than what happened, and never less
//! than what was acknowledged.

use std::fs;

use netplan::results::journal::{self, Journal, JournalError, TearKind};
use netplan::results::run_dir::{self, RunDir, RunDirError};
use netplan::results::{Cluster, Environment, Event};
use netplan::schedule::{Schedule, Selection};
use netplan::tools::Cause;
use proptest::prelude::*;

use crate::made::{self, End, Fate};
use crate::support::snapshots;

fn events() -> Vec<Event> {
    let tests = [made::tcp(1024, 1), made::rr(1)];
    let plan = made::plan(&tests);
    let schedule = Schedule::new(&plan, &Selection::all());
    made::events(&plan, &schedule, &End::Complete, |_, path| match path {
        "remote-pod" => Fate::Failed(Cause::Refused, "Connection refused"),
        "remote-service" => Fate::Skipped("netperf is not on w3"),
        _ => Fate::Measured,
    })
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn bytes(events: &[Event]) -> Vec<u8> {
    let lines = events.iter().map(|e| journal::to_line(e).unwrap() + "\n");
    lines.collect::<String>().into_bytes()
}

#[test]
fn a_journal_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let events = events();
    let mut journal = Journal::create(dir.path()).unwrap();
    for event in &events {
        journal.append(event).unwrap();
    }
    assert_eq!(journal.next_seq(), events.len() as u64);
    let read = journal::read(dir.path()).unwrap();
    assert_eq!(read.events, events);
    assert!(read.complete && read.torn.is_none());
    snapshots().bind(|| {
        let text = fs::read_to_string(journal.path()).unwrap();
        insta::assert_snapshot!("events_jsonl", text);
    });
}

#[test]
fn a_torn_tail_is_cut_off_and_the_journal_continues() {
    let dir = tempfile::tempdir().unwrap();
    let events = events();
    let whole = bytes(&events);
    fs::write(
        dir.path().join(journal::FILE_NAME),
        &whole[..whole.len() - 7],
    )
    .unwrap();
    let (mut journal, recovered) = Journal::open(dir.path()).unwrap();
    assert_eq!(recovered.events, events[..events.len() - 1]);
    assert_eq!(recovered.torn.unwrap().kind, TearKind::Torn);
    assert!(!recovered.complete);
    journal.append(events.last().unwrap()).unwrap();
    assert_eq!(fs::read(journal.path()).unwrap(), whole);
}

#[test]
fn damage_in_the_middle_is_read_up_to_and_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(journal::FILE_NAME);
    let events = events();
    let lines: Vec<String> = events
        .iter()
        .map(|e| journal::to_line(e).unwrap())
        .collect();
    let damages = [
        (
            "{\"v\":2,\"seq\":3,".to_owned(),
            "line 4: the line is not an event",
        ),
        (
            lines[5].clone(),
            "line 4: event 3 is missing; event 5 follows",
        ),
        (
            lines[3].replace("\"v\":2", "\"v\":3"),
            "line 4: the line has format version 3, and this netplan reads versions 1 to 2",
        ),
    ];
    for (bad, says) in damages {
        let mut hurt = lines.clone();
        hurt[3] = bad;
        let text = hurt.join("\n") + "\n";
        fs::write(&path, &text).unwrap();
        let read = journal::read(dir.path()).unwrap();
        assert_eq!(read.events, events[..3]);
        let tear = read.torn.unwrap();
        assert!(tear.to_string().starts_with(says), "{tear}");
        let error = Journal::open(dir.path()).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn one_writer_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path()).unwrap();
    journal.append(&events()[0]).unwrap();
    let second = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(second, JournalError::Locked(_)), "{second}");
    drop(journal);
    assert!(Journal::open(dir.path()).is_ok());
    let again = Journal::create(dir.path()).unwrap_err();
    assert!(matches!(again, JournalError::Exists(_)), "{again}");
}

#[test]
fn copied_lines_stay_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let events = events();
    // Spaces and an unknown field survive, because the line is not written anew.
    let line = journal::to_line(&events[0])
        .unwrap()
        .replacen('{', "{ \"later\": true, ", 1);
    let mut journal = Journal::create(dir.path()).unwrap();
    assert_eq!(
        journal.append_raw_line(&line).unwrap().as_ref(),
        Some(&events[0])
    );
    assert_eq!(journal.append_raw_line(&line).unwrap(), None);
    let gap = journal::to_line(&events[2]).unwrap();
    let error = journal.append_raw_line(&gap).unwrap_err();
    assert!(
        error.to_string().starts_with("event 2 does not follow"),
        "{error}"
    );
    for bad in [
        "",
        "{}",
        "nonsense",
        "{\"v\":9,\"seq\":1}",
        &format!("{line}\n{line}"),
    ] {
        assert!(journal.append_raw_line(bad).is_err(), "{bad:?}");
    }
    assert!(journal.append(&events[5]).is_err());
    assert_eq!(fs::read_to_string(journal.path()).unwrap(), line + "\n");
}

proptest! {
    #[test]
    fn cut_anywhere_a_journal_is_a_prefix(cut: prop::sample::Index) {
        let events = events();
        let bytes = bytes(&events);
        let at = cut.index(bytes.len() + 1);
        let read = journal::read_bytes(&bytes[..at]);
        let whole_lines = bytes[..at].split(|b| *b == b'\n').count() - 1;
        prop_assert_eq!(&read.events, &events[..whole_lines]);
        prop_assert_eq!(read.torn.is_some(), at > 0 && bytes[at - 1] != b'\n');
        prop_assert_eq!(read.complete, at == bytes.len());
    }

    #[test]
    fn flipped_bytes_never_panic_and_keep_the_events_before(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let events = events();
        let mut bytes = bytes(&events);
        let mut first = bytes.len();
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
            first = first.min(at);
        }
        let read = journal::read_bytes(&bytes);
        let before = bytes[..first].split(|b| *b == b'\n').count() - 1;
        prop_assert!(read.events.len() >= before);
        prop_assert_eq!(&read.events[..before], &events[..before]);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(journal::read_bytes(&bytes).events.is_empty());
    }
}

#[test]
fn a_run_directory_holds_one_run() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("deep/er/run");
    assert!(matches!(RunDir::open(&path), Err(RunDirError::NotARun(_))));
    let dir = RunDir::create(&path).unwrap();
    let mut journal = Journal::create(dir.path()).unwrap();
    journal.append(&events()[0]).unwrap();
    dir.write(run_dir::file::PLAN, "version: 1\n").unwrap();
    dir.write_raw("a_b.1.json", b"{}").unwrap();
    for bad in ["../escape", "/tmp/x", "a/b", "..", "a\0"] {
        assert!(dir.write_raw(bad, b"").is_err());
    }
    let environment = Environment::from_events(
        &events(),
        Some(Cluster {
            kind: "local".to_owned(),
            description: serde_json::json!({ "nodes": 2, "offloads": "off" }),
        }),
    );
    dir.write_environment(&environment).unwrap();
    let text = fs::read_to_string(dir.file(run_dir::file::ENVIRONMENT)).unwrap();
    assert_eq!(
        serde_json::from_str::<Environment>(&text).unwrap(),
        environment
    );
    snapshots().bind(|| insta::assert_snapshot!("environment_json", text));
    assert!(matches!(RunDir::create(&path), Err(RunDirError::Taken(_))));
    assert!(RunDir::open(&path).is_ok());
    let mut names: Vec<String> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["environment.json", "events.jsonl", "plan.yaml", "raw"]
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_the_run() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("file");
    fs::write(&file, "").unwrap();
    let error = RunDir::create(file.join("run")).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot create the run's directory `"),
        "{error}"
    );
    assert!(
        error.contains("Not a directory") && error.ends_with("with `--output DIR`"),
        "{error}"
    );
}

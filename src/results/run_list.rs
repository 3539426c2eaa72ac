//! The runs that a folder holds.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::journal;

/// The first line of a journal holds the plan, which is at most 8 MiB of text before it is escaped.
const LONGEST_FIRST_LINE: u64 = 64 << 20;
/// The last event is looked for in this many bytes at a journal's end.
const TAIL: u64 = 1 << 20;

/// A run as the first and the last line of its journal describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    pub path: PathBuf,
    pub id: String,
    /// The time of the first event.
    pub began: Timestamp,
    /// The time of the last event.
    pub ended: Timestamp,
    /// It ended by itself: there is nothing left to measure.
    pub is_complete: bool,
}

/// The runs in the subfolders of `folder`, the latest first by the time of their last event. What is not a
/// run, or cannot be read, is left out.
#[must_use]
pub fn runs_in(folder: &Path) -> Vec<StoredRun> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut runs: Vec<StoredRun> = entries
        .filter_map(|entry| read(entry.path()).ok())
        .collect();
    runs.sort_by(|a, b| (b.ended, &b.path).cmp(&(a.ended, &a.path)));
    runs
}

/// What is read of an event.
#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    event: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    cancelled: bool,
}

fn read(path: PathBuf) -> io::Result<StoredRun> {
    let journal = path.join(journal::FILE_NAME);
    // A pipe of that name would be waited for.
    if !fs::metadata(&journal)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(journal)?;
    let mut first = String::new();
    BufReader::new((&mut file).take(LONGEST_FIRST_LINE)).read_line(&mut first)?;
    let first: Line = serde_json::from_str(&first)?;
    if first.event != "run_started" {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let last = last_line(&mut file)?;
    Ok(StoredRun {
        path,
        id: first.run,
        began: first.at,
        ended: last.as_ref().map_or(first.at, |last| last.at),
        is_complete: last.is_some_and(|last| last.event == "run_ended" && !last.cancelled),
    })
}

/// The last whole line; one that was cut off does not count.
fn last_line(file: &mut File) -> io::Result<Option<Line>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let last = tail[..whole].rsplit(|byte| *byte == b'\n').next();
    Ok(last.and_then(|line| serde_json::from_slice(line).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"v":1,"seq":0,"at":"2026-11-22T19:00:00Z","event":"run_started","run":"ID","netplan":"0.1.0","plan":"","only":null}"#;

    fn store(folder: &Path, name: &str, id: &str, rest: &str) {
        let dir = folder.join(name);
        fs::create_dir(&dir).unwrap();
        let text = format!("{}\n{rest}", FIRST.replace("ID", id));
        fs::write(dir.join(journal::FILE_NAME), text).unwrap();
    }

    fn ended(at: &str, cancelled: bool) -> String {
        format!(
            "{{\"v\":1,\"seq\":1,\"at\":\"{at}\",\"event\":\"run_ended\",\"cancelled\":{cancelled}}}\n"
        )
    }

    #[test]
    fn runs_are_listed_by_their_last_event() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        store(at, "a", "aaaa", &ended("2026-11-24T08:00:00Z", false));
        store(at, "b", "bbbb", &ended("2026-11-25T08:00:00Z", true));
        // The last line is torn, and the first one is all that there is.
        store(at, "c", "cccc", "{\"v\":1,\"seq\":1,\"at\":\"2026-12");
        fs::create_dir(at.join("selftest")).unwrap();
        fs::write(at.join("file"), "").unwrap();
        store(at, "damaged", "dddd", "");
        fs::write(at.join("damaged").join(journal::FILE_NAME), "x\n").unwrap();
        let runs = runs_in(at);
        let seen: Vec<_> = runs.iter().map(|run| (&*run.id, run.is_complete)).collect();
        assert_eq!(seen, [("bbbb", false), ("aaaa", true), ("cccc", false)]);
        assert_eq!(runs[2].began, runs[2].ended);
        assert_eq!(runs_in(&at.join("nowhere")), []);
    }

    #[test]
    fn a_long_journal_is_read_at_its_ends() {
        let folder = tempfile::tempdir().unwrap();
        let filler = format!("{}\n", "x".repeat(usize::try_from(TAIL).unwrap()));
        let rest = filler + &ended("2026-11-24T08:00:00Z", false);
        store(folder.path(), "long", "ffff", &rest);
        assert!(runs_in(folder.path())[0].is_complete);
    }
}

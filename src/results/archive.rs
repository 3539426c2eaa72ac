//! A finished run as lines of a log: what is left of it once its orchestrator's container has ended.
//!
//! Between two marks is a tar archive, gzipped and in base64, of the journal and the tools' raw
//! outputs under the names that they have in a run's directory. So it can be read by hand too:
//! `kubectl logs … | sed '1,/BEGIN NETPLAN ARCHIVE/d;/END NETPLAN ARCHIVE/,$d' | base64 -d | tar xz`.
//!
//! Each entry is a gzip member of its own, so that what fits is known before it is taken.

use std::io::{self, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use thiserror::Error;

use super::journal;
use super::run_dir::{check_raw_name, file};

/// The lines before and after an archive.
pub const BEGIN: &str = "-----BEGIN NETPLAN ARCHIVE-----";
/// The line after it.
pub const END: &str = "-----END NETPLAN ARCHIVE-----";
/// The longest text of an archive, in bytes. A kubelet keeps 10 MiB of a log at hand, including its own marks
/// on each line and the lines before.
pub const LIMIT_BYTES: usize = 7 << 20;

/// A log's own marks cost some bytes a line; longer lines than this are cut apart by some runtimes.
const LINE: usize = 4096;
/// Entries of a tar archive begin at multiples of this.
const BLOCK: u64 = 512;
/// An archive that unfolds to more than this is none of ours.
const UNFOLDED_AT_MOST_BYTES: u64 = 1 << 30;

/// What an archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// The content of `events.jsonl`.
    pub journal: Vec<u8>,
    /// Names and contents under `raw/`.
    pub raw: Vec<(String, Vec<u8>)>,
}

/// An archive's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Lines, marks included, the last without a newline.
    pub text: String,
    /// So many raw outputs did not fit.
    pub left_out: usize,
}

/// Why there is nothing to be had from a log.
#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("the log holds no archive of the run")]
    None,
    #[error("the log ends within the archive of the run")]
    Cut,
    #[error("the archive of the run in the log is damaged: {0}")]
    Damaged(String),
    #[error(
        "the journal takes {packed} bytes when packed, and {limit} have room; the run's events \
         cannot go this way"
    )]
    TooLarge { packed: usize, limit: usize },
}

/// Packs a journal of `size` bytes and as many of the raw outputs, in their order, as have room in `limit` bytes
/// of text.
///
/// # Errors
/// When not even the journal has room.
pub fn encode(
    journal: impl Read,
    size: u64,
    raw: impl IntoIterator<Item = (String, Vec<u8>)>,
    limit: usize,
) -> Result<Encoded, ArchiveError> {
    // Four characters for three bytes, and a line break now and then.
    let room = limit.saturating_sub(BEGIN.len() + END.len() + 2) / (LINE + 1) * LINE / 4 * 3;
    let end = member(&[0; 1024])?;
    let mut packed = journal_entry(journal, size)?;
    if packed.len() + end.len() > room {
        let packed = packed.len();
        return Err(ArchiveError::TooLarge {
            packed,
            limit: room,
        });
    }
    let mut left_out = 0;
    for (name, content) in raw {
        let next = entry(&format!("{}/{name}", file::RAW), &content)?;
        if packed.len() + next.len() + end.len() > room {
            left_out += 1;
        } else {
            packed.extend(next);
        }
    }
    packed.extend(end);
    let base64 = STANDARD.encode(packed);
    let mut text = BEGIN.to_owned();
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push('\n');
        text.push_str(line);
        rest = after;
    }
    text.push('\n');
    text.push_str(END);
    Ok(Encoded { text, left_out })
}

/// Finds the last archive in a log and unpacks it.
///
/// # Errors
/// When there is none, or it is cut off or damaged.
pub fn decode(log: &str) -> Result<Archive, ArchiveError> {
    let mut lines = Vec::new();
    let mut state = Err(ArchiveError::None);
    for line in log.lines().map(str::trim_end) {
        match (line, &state) {
            (BEGIN, _) => {
                lines.clear();
                state = Err(ArchiveError::Cut);
            }
            (END, Err(ArchiveError::Cut)) => state = Ok(()),
            (line, Err(ArchiveError::Cut)) => lines.push(line),
            _ => {}
        }
    }
    state?;
    let packed = STANDARD.decode(lines.concat()).map_err(damaged)?;
    unpack(&packed)
}

/// Compresses a journal; the other way is [`unfold`].
///
/// # Errors
/// Never, as memory takes everything.
pub fn fold(journal: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    member(journal)
}

/// What [`fold`] has compressed.
///
/// # Errors
/// When it is damaged or cut off.
pub fn unfold(folded: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut journal = Vec::new();
    bounded(folded).read_to_end(&mut journal).map_err(damaged)?;
    Ok(journal)
}

fn unpack(packed: &[u8]) -> Result<Archive, ArchiveError> {
    let mut tar = tar::Archive::new(bounded(packed));
    let mut archive = Archive::default();
    let mut has_journal = false;
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(damaged)?;
        if path == journal::FILE_NAME {
            archive.journal = content;
            has_journal = true;
        } else if let Some(name) = path.strip_prefix("raw/") {
            check_raw_name(name).map_err(damaged)?;
            archive.raw.push((name.to_owned(), content));
        }
    }
    if has_journal {
        Ok(archive)
    } else {
        Err(ArchiveError::Damaged("it has no journal".to_owned()))
    }
}

fn bounded(packed: &[u8]) -> impl Read {
    MultiGzDecoder::new(packed).take(UNFOLDED_AT_MOST_BYTES)
}

fn entry(name: &str, content: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header(content.len() as u64), name, content)
        .map_err(damaged)?;
    // Without the blocks that end an archive: there may be a next entry.
    let entry = std::mem::take(tar.get_mut());
    member(&entry)
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header
}

/// The journal's entry, packed while it is read: it may be larger than memory.
fn journal_entry(journal: impl Read, size: u64) -> Result<Vec<u8>, ArchiveError> {
    let pack = || -> io::Result<Vec<u8>> {
        let mut header = header(size);
        header.set_path(journal::FILE_NAME)?;
        header.set_cksum();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(header.as_bytes())?;
        // A journal may grow meanwhile; the header says how much of it counts.
        if io::copy(&mut journal.take(size), &mut encoder)? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let padding = size.next_multiple_of(BLOCK) - size;
        io::copy(&mut io::repeat(0).take(padding), &mut encoder)?;
        encoder.finish()
    };
    pack().map_err(damaged)
}

fn member(bytes: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let pack = || -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        encoder.finish()
    };
    pack().map_err(damaged)
}

fn damaged(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn raws() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
        vec(
            ("[a-z][a-z0-9=.,_-]{0,150}", vec(any::<u8>(), 0..2000)),
            0..5,
        )
    }

    proptest! {
        #[test]
        fn an_archive_among_other_lines_reads_back_to_the_byte(
            journal in vec(any::<u8>(), 0..5000), raw in raws(), before in "[ -~\n]{0,80}",
        ) {
            let encoded = encode(journal.as_slice(), journal.len() as u64, raw.clone(), LIMIT_BYTES).unwrap();
            prop_assert_eq!(encoded.left_out, 0);
            let log = format!("{before}\n{}\nMAXIMUM,\nEND CSV DATA\n", encoded.text);
            let archive = decode(&log).unwrap();
            prop_assert_eq!(archive, Archive { journal, raw });
        }

        #[test]
        fn a_log_that_is_cut_or_damaged_is_an_error_or_whole(
            journal in vec(any::<u8>(), 0..500), raw in raws(), cut in any::<Index>(), bit in 0u8..7, at in any::<Index>(),
        ) {
            let text = encode(journal.as_slice(), journal.len() as u64, raw.clone(), LIMIT_BYTES).unwrap().text;
            let cut = cut.index(text.len());
            prop_assert!(decode(&text[..cut]).is_err());
            prop_assert!(decode(&text[cut.max(1)..]).is_err());
            let mut bytes = text.clone().into_bytes();
            bytes[at.index(text.len())] ^= 1 << bit;
            if let Ok(archive) = decode(&String::from_utf8_lossy(&bytes)) {
                // A flipped bit in a gzip member's header may mean nothing.
                prop_assert_eq!(archive, Archive { journal, raw });
            }
        }

        #[test]
        fn any_text_is_no_archive_or_one(text in "(\\PC|\n){0,200}") {
            let _ = decode(&text);
            let _ = decode(&format!("{BEGIN}\n{text}\n{END}"));
            let _ = unfold(text.as_bytes());
        }

        #[test]
        fn the_text_keeps_to_its_limit(raw in raws(), limit in 0usize..40_000) {
            let count = raw.len();
            match encode(&b"event\n"[..], 6, raw, limit) {
                Ok(encoded) => {
                    prop_assert!(encoded.text.len() <= limit);
                    let archive = decode(&encoded.text).unwrap();
                    prop_assert_eq!(archive.raw.len() + encoded.left_out, count);
                }
                Err(ArchiveError::TooLarge { .. }) => prop_assert!(limit < 10_000),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }

        #[test]
        fn a_folded_journal_unfolds(journal in vec(any::<u8>(), 0..5000), cut in any::<Index>()) {
            let folded = fold(&journal).unwrap();
            prop_assert_eq!(unfold(&folded).unwrap(), journal);
            let cut = cut.index(folded.len());
            prop_assert!(cut == 0 || unfold(&folded[..cut]).is_err());
        }
    }
}

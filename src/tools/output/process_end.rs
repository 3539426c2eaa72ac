//! How a process ended, and how much is kept of what it printed.
//!
//! Tools print without a bound: a server in a loop, a client with an interval report for each of its
//! streams. So a worker keeps the start and the end of each stream, which hold the command's
//! settings, its result and its error, and says how much is missing between them. Every bound on
//! the way to the run's directory follows from the constants here.

/// Most bytes that are kept of a process: both streams together, with the marks of what was left
/// out. The result of 128 streams of iperf3 takes 140 KB without interval reports.
pub const LARGEST_OUTPUT_BYTES: usize = 2 << 20;

/// Bytes that are kept of a process in any case.
pub const SMALLEST_OUTPUT_BYTES: usize = 64 << 10;

/// Bytes that are kept of a server. Its output only counts when it did not become ready.
pub const SERVER_OUTPUT_BYTES: usize = SMALLEST_OUTPUT_BYTES;

/// Bytes of output that may be on their way to the orchestrator at once, over all clients: an eighth
/// of the memory that its pod may use (`kubernetes.resources.orchestrator`).
const IN_FLIGHT_BYTES: usize = 16 << 20;

/// Bytes that are kept of each client when at most `at_once` clients run at once.
#[must_use]
pub fn client_output_bytes(at_once: usize) -> usize {
    (IN_FLIGHT_BYTES / at_once.max(1)).clamp(SMALLEST_OUTPUT_BYTES, LARGEST_OUTPUT_BYTES)
}

/// The share of a process's bytes that its standard error has; standard output has the rest.
#[must_use]
pub fn stderr_bytes(output_bytes: usize) -> usize {
    output_bytes / 4
}

/// Room for [`cut_mark`].
pub const CUT_MARK_BYTES: usize = 64;

/// The line that replaces the bytes that were left out of a stream.
#[must_use]
pub fn cut_mark(bytes: u64) -> String {
    format!("\n[netplan left out {bytes} bytes here]\n")
}

/// Whether a line is a [`cut_mark`].
#[must_use]
pub fn is_cut_mark(line: &str) -> bool {
    line.starts_with("[netplan left out ") && line.ends_with(" bytes here]")
}

/// How a process ended, with what is kept of its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub how: How,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// What is missing from them.
    pub cut: Cut,
}

/// Bytes that are missing from the middle of each stream. A [`cut_mark`] replaces them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    pub stdout: u64,
    pub stderr: u64,
}

impl Cut {
    /// Bytes that are missing from both streams together.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.stdout.saturating_add(self.stderr)
    }
}

impl Ended {
    /// An end with all that the process printed.
    #[must_use]
    pub fn new(how: How, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Self {
        Self {
            how,
            stdout: stdout.into(),
            stderr: stderr.into(),
            cut: Cut::default(),
        }
    }

    /// The end of what did not begin, or printed nothing.
    #[must_use]
    pub fn silent(how: How) -> Self {
        Self::new(how, Vec::new(), Vec::new())
    }

    /// Standard output: all of it, or the parts before and after the bytes that were left out.
    #[must_use]
    pub fn stdout_parts(&self) -> (&[u8], Option<&[u8]>) {
        let mark = cut_mark(self.cut.stdout);
        let at = self
            .stdout
            .windows(mark.len())
            .position(|window| window == mark.as_bytes())
            .filter(|_| self.cut.stdout > 0);
        match at {
            Some(at) => (
                self.stdout.get(..at).unwrap_or_default(),
                self.stdout.get(at + mark.len()..),
            ),
            None => (&self.stdout, None),
        }
    }
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    Code(i32),
    Signal(i32),
    /// Killed at its deadline.
    Deadline,
    /// Killed because the run was cancelled.
    Stopped,
    /// The program is not there.
    NotFound(String),
    /// It could not be started for another reason.
    NotStarted(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_clients_at_once_keep_less_of_each() {
        assert_eq!(client_output_bytes(0), LARGEST_OUTPUT_BYTES);
        assert_eq!(client_output_bytes(1), LARGEST_OUTPUT_BYTES);
        assert_eq!(client_output_bytes(64), 256 << 10);
        assert_eq!(client_output_bytes(10_000), SMALLEST_OUTPUT_BYTES);
        for at_once in 1..=IN_FLIGHT_BYTES / SMALLEST_OUTPUT_BYTES {
            assert!(client_output_bytes(at_once) * at_once <= IN_FLIGHT_BYTES);
        }
    }

    #[test]
    fn a_mark_has_room() {
        let mark = cut_mark(u64::MAX);
        assert!(mark.len() <= CUT_MARK_BYTES);
        assert!(is_cut_mark(mark.trim()));
    }

    #[test]
    fn output_is_split_where_it_was_cut() {
        let mut ended = Ended::new(How::Code(0), "ab\n[netplan left out 7 bytes here]\ncd", "");
        assert_eq!(ended.stdout_parts().1, None);
        ended.cut.stdout = 7;
        assert_eq!(ended.stdout_parts(), (&b"ab"[..], Some(&b"cd"[..])));
    }
}

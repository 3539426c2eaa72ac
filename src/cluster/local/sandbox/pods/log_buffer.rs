//! A buffer for the last part of what a pod printed.

use std::collections::VecDeque;

/// Keeps the last bytes of a stream.
#[derive(Debug, Default)]
pub struct LogBuffer {
    bytes: VecDeque<u8>,
    cut: bool,
}

/// Enough for a run's whole CSV and the log before it.
const CAPACITY: usize = 1 << 20;

impl LogBuffer {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let excess = self.bytes.len().saturating_sub(CAPACITY);
        if excess > 0 {
            self.bytes.drain(..excess);
            self.cut = true;
        }
    }

    /// All that is kept, from the start of a line.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let start = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(newline) if self.cut => newline + 1,
            _ => 0,
        };
        String::from_utf8_lossy(&bytes[start..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_stream_keeps_its_last_whole_lines() {
        let mut buffer = LogBuffer::default();
        for number in 0..200_000 {
            buffer.push(format!("line {number}\n").as_bytes());
        }
        assert!(buffer.text().len() <= CAPACITY);
        assert!(buffer.text().starts_with("line "));
        assert!(buffer.text().ends_with("line 199998\nline 199999\n"));
    }
}

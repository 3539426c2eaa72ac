//! A process's output stream: what is kept of it, and the text that is awaited in it.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::bounded_output::BoundedOutput;

/// Bytes that are read at once.
const CHUNK: usize = 8 * 1024;

type Pipe = Box<dyn AsyncRead + Send + Unpin>;

/// One of a process's output streams.
pub(in crate::worker) struct Stream {
    /// None once it is closed.
    pipe: Option<Pipe>,
    chunk: Box<[u8]>,
    output: BoundedOutput,
    /// Texts, of which one is awaited.
    awaited: Vec<Awaited>,
}

impl Stream {
    /// A stream; at most `bytes` of it are kept.
    pub(in crate::worker) fn new(
        pipe: Option<impl AsyncRead + Send + Unpin + 'static>,
        bytes: usize,
        awaited: Option<&str>,
    ) -> Self {
        Self {
            pipe: pipe.map(|pipe| -> Pipe { Box::new(pipe) }),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            output: BoundedOutput::new(bytes),
            awaited: awaited.map(Awaited::new).into_iter().collect(),
        }
    }

    pub(in crate::worker) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Reads once; nothing is lost when it is dropped before its end.
    async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let Ok(length @ 1..) = pipe.read(&mut self.chunk).await else {
            self.pipe = None;
            return;
        };
        let new = self.chunk.get(..length).unwrap_or_default();
        for awaited in &mut self.awaited {
            awaited.see(new);
        }
        self.output.push(new);
    }

    pub(in crate::worker) async fn read_to_end(&mut self) {
        while self.is_open() {
            self.read().await;
        }
    }

    /// Takes what is kept of the output so far, and returns how many bytes are missing in its middle.
    pub(in crate::worker) fn take_output(&mut self) -> (Vec<u8>, u64) {
        self.output.take()
    }

    /// From here on one of these texts is awaited.
    pub(in crate::worker) fn await_any(&mut self, texts: &[String]) {
        self.awaited = texts.iter().map(|text| Awaited::new(text)).collect();
    }

    /// Whether a text is awaited that has not come yet.
    pub(in crate::worker) fn awaits(&self) -> bool {
        !self.awaited.is_empty() && !self.found()
    }

    /// Whether the awaited text has come.
    pub(in crate::worker) fn found(&self) -> bool {
        self.awaited.iter().any(|awaited| awaited.found)
    }

    /// No text is awaited any more.
    pub(in crate::worker) fn await_nothing(&mut self) {
        self.awaited.clear();
    }
}

/// Reads once from one of the two, for ever from neither: fairly, for one may be without end.
pub(in crate::worker) async fn either(one: &mut Stream, other: &mut Stream) {
    tokio::select! {
        () = one.read(), if one.is_open() => {}
        () = other.read(), if other.is_open() => {}
        else => std::future::pending().await,
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("open", &self.is_open())
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Searches a stream for a text that may come in pieces. The text has no newline, so that where it
/// is found it is within a line.
#[derive(Debug)]
struct Awaited {
    text: Vec<u8>,
    /// The end of what was seen, one byte shorter than the text.
    tail: Vec<u8>,
    found: bool,
}

impl Awaited {
    fn new(text: &str) -> Self {
        Self {
            text: text.as_bytes().to_vec(),
            tail: Vec::new(),
            found: false,
        }
    }

    /// Takes the next piece. An empty text is found in the first output there is.
    fn see(&mut self, piece: &[u8]) {
        if self.found || piece.is_empty() {
            return;
        }
        self.tail.extend_from_slice(piece);
        let width = self.text.len().max(1);
        self.found = self.text.is_empty() || self.tail.windows(width).any(|w| w == self.text);
        let surplus = self.tail.len().saturating_sub(width - 1);
        self.tail.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However a stream is cut into pieces, the text is found as soon as it is complete.
        #[test]
        fn a_text_is_found_in_any_pieces(
            text in "[ab]{1,4}", pieces in prop::collection::vec("[ab\n]{0,5}", 0..12),
        ) {
            let mut awaited = Awaited::new(&text);
            let mut seen = String::new();
            for piece in pieces {
                seen.push_str(&piece);
                awaited.see(piece.as_bytes());
                prop_assert_eq!(awaited.found, seen.contains(&text));
                prop_assert!(awaited.tail.len() < text.len());
            }
        }
    }

    #[test]
    fn an_empty_text_is_found_in_the_first_output() {
        let mut awaited = Awaited::new("");
        awaited.see(b"");
        assert!(!awaited.found);
        awaited.see(b"x");
        assert!(awaited.found);
    }
}

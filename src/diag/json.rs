//! JSON that is safe to show: what [`printable`](super::printable) would escape in a text, JSON escapes
//! in its own way, so that a reader gets back the very text.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::printable::{is_hash_command, is_unsafe};

/// A value on one line.
///
/// # Errors
/// When the value cannot be written as JSON, e.g. a map whose keys are not text.
pub fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Safe(CompactFormatter));
    value.serialize(&mut serializer)?;
    into_text(bytes)
}

/// A value on indented lines, without a newline at its end.
///
/// # Errors
/// As [`to_string`].
pub fn to_string_pretty(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    write_pretty(&mut bytes, value)?;
    into_text(bytes)
}

/// Writes a value on indented lines, without a newline at its end.
///
/// # Errors
/// As [`to_string`], and when `writer` fails.
pub fn write_pretty(writer: impl io::Write, value: &impl Serialize) -> serde_json::Result<()> {
    let formatter = Safe(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(writer, formatter))
}

fn into_text(bytes: Vec<u8>) -> serde_json::Result<String> {
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Writes as another formatter does, with more escapes.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    /// Text without what JSON has to escape.
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' if byte != b'#'))
        {
            return writer.write_all(fragment.as_bytes());
        }
        let mut written = 0;
        for (at, c) in fragment.char_indices() {
            let is_command = c == '#' && is_hash_command(&fragment[at..]);
            if !is_command && !is_unsafe(c) {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[written..at])?;
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            written = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::printable::{is_safe, tests::hostile};
    use super::*;

    #[test]
    fn escapes_are_of_json() {
        let json = to_string(&"a\u{9b}\u{1ffff} ##[x] # \n::").unwrap();
        assert_eq!(json, r#""a\u009b\ud83f\udfff \u0023#[x] # \n::""#);
    }

    proptest! {
        #[test]
        fn any_text_is_safe_and_reads_back(texts in prop::collection::btree_map(hostile(), hostile(), 0..4)) {
            for json in [to_string(&texts).unwrap(), to_string_pretty(&texts).unwrap()] {
                prop_assert!(is_safe(&json), "{}", json);
                let back: BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(&back, &texts);
            }
            prop_assert_eq!(
                serde_json::to_string_pretty(&[1, 2]).unwrap(),
                to_string_pretty(&[1, 2]).unwrap()
            );
        }
    }
}

//! JSON that is safe to show: what [`printable`](super::printable) would escape in a text, JSON escapes
//! in its own way, so that a reader gets back the very text.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::printable::{is_hash_command, is_unsafe};

/// A value on one line.
///
/// # Errors
/// When the value cannot be written as JSON, e.g. a map whose keys are not text.
pub fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Compact))?;
    into_text(bytes)
}

/// A value on indented lines, without a newline at its end.
///
/// # Errors
/// As [`to_string`].
pub fn to_string_pretty(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    write_pretty(&mut bytes, value, 0)?;
    into_text(bytes)
}

/// Writes a value on indented lines, without a newline at its end, as part of a value that is `level`
/// steps further out. Writes very many small pieces: the writer should have a buffer.
///
/// # Errors
/// As [`to_string`], and when `writer` fails.
pub fn write_pretty(
    writer: impl io::Write,
    value: &impl Serialize,
    level: usize,
) -> serde_json::Result<()> {
    let formatter = Pretty {
        level,
        has_value: false,
    };
    value.serialize(&mut Serializer::with_formatter(writer, formatter))
}

fn into_text(bytes: Vec<u8>) -> serde_json::Result<String> {
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Ends a line and begins the next one, indented by `level` steps.
///
/// # Errors
/// When `writer` fails.
pub fn new_line(writer: &mut (impl io::Write + ?Sized), level: usize) -> io::Result<()> {
    const LINE: &[u8] = b"\n                                                                ";
    match LINE.get(..=2 * level) {
        Some(line) => writer.write_all(line),
        None => writer.write_all(format!("\n{}", "  ".repeat(level)).as_bytes()),
    }
}

/// All on one line, as `serde_json`'s own.
struct Compact;

impl Formatter for Compact {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_safe(writer, fragment)
    }
}

/// A line for each value, as `serde_json`'s own.
struct Pretty {
    level: usize,
    /// The innermost array or object is not empty.
    has_value: bool,
}

impl Pretty {
    fn begin<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level += 1;
        self.has_value = false;
        writer.write_all(bracket)
    }

    fn end<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level = self.level.saturating_sub(1);
        if self.has_value {
            new_line(writer, self.level)?;
        }
        self.has_value = true;
        writer.write_all(bracket)
    }

    fn begin_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.has_value = true;
        new_line(writer, self.level)
    }
}

impl Formatter for Pretty {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_value(writer, first)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_safe(writer, fragment)
    }
}

/// Text without what JSON has to escape.
fn write_safe<W: ?Sized + io::Write>(writer: &mut W, fragment: &str) -> io::Result<()> {
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
        }

        #[test]
        fn lines_are_those_of_serde_json(value in any_value()) {
            prop_assert_eq!(serde_json::to_string(&value).unwrap(), to_string(&value).unwrap());
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(&pretty, &to_string_pretty(&value).unwrap());
            let mut inner = Vec::new();
            write_pretty(&mut inner, &value, 40).unwrap();
            let indented = pretty.replace('\n', &format!("\n{}", "  ".repeat(40)));
            prop_assert_eq!(String::from_utf8(inner).unwrap(), indented);
        }
    }

    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(serde_json::Value::from),
            "[a-z]{0,5}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}

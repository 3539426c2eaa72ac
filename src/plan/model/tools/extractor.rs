//! How a figure is found in a tool's output, and in which unit the tool prints it.

use std::fmt;

use serde::Serialize;

use crate::catalog::Unit;

/// A regular expression with a group `(?<value>…)` around the number. It is searched in what the client
/// prints to stdout, and when it is not there, to stderr. `^` and `$` match at every line.
#[derive(Clone, Debug, Serialize)]
#[serde(into = "String")]
pub struct Pattern(regex::Regex);

/// Why a text is not a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The parser's word for what is wrong, and where: in bytes.
    #[error("{what}")]
    Syntax {
        what: String,
        at: Option<(usize, usize)>,
    },
    #[error("the regular expression has no group `(?<value>…)`")]
    NoGroup,
}

impl Pattern {
    /// Compiles a pattern. `^` and `$` match at every line.
    ///
    /// # Errors
    /// When it is not a regular expression, or has no group `value`.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let regex = regex::RegexBuilder::new(text)
            .multi_line(true)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| syntax(text, &error))?;
        if regex.capture_names().flatten().any(|name| name == VALUE) {
            Ok(Self(regex))
        } else {
            Err(PatternError::NoGroup)
        }
    }

    /// What the group `value` matches, match by match.
    pub fn values<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.0
            .captures_iter(text)
            .filter_map(|found| Some(found.name(VALUE)?.as_str()))
    }
}

const VALUE: &str = "value";

fn syntax(text: &str, error: &regex::Error) -> PatternError {
    match (error, regex_syntax::parse(text)) {
        (regex::Error::CompiledTooBig(_), _) => PatternError::Syntax {
            what: "the regular expression is too large".to_owned(),
            at: None,
        },
        (_, Err(regex_syntax::Error::Parse(error))) => PatternError::Syntax {
            what: error.kind().to_string(),
            at: Some((error.span().start.offset, error.span().end.offset)),
        },
        (_, Err(regex_syntax::Error::Translate(error))) => PatternError::Syntax {
            what: error.kind().to_string(),
            at: Some((error.span().start.offset, error.span().end.offset)),
        },
        _ => PatternError::Syntax {
            what: "it is not a regular expression".to_owned(),
            at: None,
        },
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0.as_str().to_owned()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// A JSON pointer (RFC 6901) to the number, e.g. `/end/sum/bits_per_second`. The client's stdout, or the
/// last line of it, is one JSON value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Pointer(String);

impl Pointer {
    /// A pointer. None when the text is not empty and does not start with `/`, or has a `~` that is
    /// neither `~0` nor `~1`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let starts = text.is_empty() || text.starts_with('/');
        let mut tildes = text.split('~').skip(1);
        (starts && tildes.all(|rest| rest.starts_with(['0', '1']))).then(|| Self(text.to_owned()))
    }

    /// What it points to.
    #[must_use]
    pub fn value_in<'v>(&self, value: &'v serde_json::Value) -> Option<&'v serde_json::Value> {
        value.pointer(&self.0)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The unit in which a tool prints a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(into = "&'static str")]
pub struct FigureUnit {
    name: &'static str,
    /// The unit inside netplan.
    pub unit: Unit,
    /// What one of it is in that unit.
    pub factor: f64,
}

macro_rules! units {
    ($($name:literal $kind:ident $factor:expr),* $(,)?) => {
        const UNITS: &[FigureUnit] = &[$(FigureUnit {
            name: $name,
            unit: Unit::$kind,
            factor: $factor,
        }),*];
        impl FigureUnit {
            /// All of them, as a plan writes them.
            pub const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}

units! {
    "bit/s" BitsPerSecond 1.0, "kbit/s" BitsPerSecond 1e3, "Mbit/s" BitsPerSecond 1e6, "Gbit/s" BitsPerSecond 1e9,
    "B/s" BitsPerSecond 8.0, "kB/s" BitsPerSecond 8e3, "MB/s" BitsPerSecond 8e6, "GB/s" BitsPerSecond 8e9,
    "KiB/s" BitsPerSecond 8_192.0, "MiB/s" BitsPerSecond 8_388_608.0, "GiB/s" BitsPerSecond 8_589_934_592.0,
    "ns" Microseconds 1e-3, "us" Microseconds 1.0, "ms" Microseconds 1e3, "s" Microseconds 1e6,
    "percent" Percent 1.0, "ratio" Percent 100.0,
    "bytes" Bytes 1.0, "count" Count 1.0, "per_second" PerSecond 1.0,
}

impl FigureUnit {
    /// The unit of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        UNITS.iter().find(|unit| unit.name == name).copied()
    }
}

impl From<FigureUnit> for &'static str {
    fn from(unit: FigureUnit) -> &'static str {
        unit.name
    }
}

//! The parameters that a test sets, and the values that each takes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::catalog::Direction;
use crate::plan::ToolSpec;
use crate::plan::units::{BitRate, Bytes};

/// A parameter that can be swept. Sizes are bytes, rates are bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
pub enum Param {
    /// A [`Direction`] by its number.
    Direction,
    Streams,
    Rate,
    WriteSize,
    Request,
    Response,
    /// One that a declared tool has of its own, by its name; see [`Param::named`].
    Own(&'static String),
    Datagram,
    Mss,
}

impl Param {
    /// Those that netplan knows, in the order in which they vary: the last one fastest. A declared
    /// tool's own ones vary before the sizes, in the order in which it lists them.
    pub const ALL: [Param; 8] = [
        Param::Direction,
        Param::Streams,
        Param::Rate,
        Param::WriteSize,
        Param::Request,
        Param::Response,
        Param::Datagram,
        Param::Mss,
    ];

    /// As plans and cell ids write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Param::Direction => "direction",
            Param::Streams => "streams",
            Param::Rate => "rate",
            Param::WriteSize => "write_size",
            Param::Request => "request",
            Param::Response => "response",
            Param::Own(name) => name.as_str(),
            Param::Datagram => "datagram",
            Param::Mss => "mss",
        }
    }

    /// A value as a plan writes it: `100 Mbit/s`, `128 KiB`, `96`.
    #[must_use]
    pub fn value_text(self, value: u64) -> String {
        match self {
            Param::Direction => direction_word(value).to_owned(),
            Param::Rate => BitRate(value).to_string(),
            Param::WriteSize | Param::Request | Param::Response => Bytes(value).to_string(),
            Param::Streams | Param::Datagram | Param::Mss | Param::Own(_) => value.to_string(),
        }
    }

    /// A value as cell ids and files write it: a word for a direction, else the plain number.
    #[must_use]
    pub fn plain(self, value: u64) -> PlainValue {
        match self {
            Param::Direction => PlainValue::Word(direction_word(value)),
            _ => PlainValue::Number(value),
        }
    }

    /// The parameter of this name: one that netplan knows, else a declared tool's own.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|param| param.name() == name)
            .unwrap_or_else(|| Param::Own(interned(name)))
    }
}

fn direction_word(value: u64) -> &'static str {
    Direction::from_number(value).unwrap_or_default().word()
}

/// A value of a parameter as cell ids and files write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PlainValue {
    Number(u64),
    Word(&'static str),
}

impl fmt::Display for PlainValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlainValue::Number(number) => number.fmt(f),
            PlainValue::Word(word) => f.write_str(word),
        }
    }
}

/// A value as a file has it: a number, or a direction's word.
struct ReadValue(u64);

impl<'de> Deserialize<'de> for ReadValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = ReadValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or the word of a direction")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<ReadValue, E> {
                Ok(ReadValue(value))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<ReadValue, E> {
                let direction = Direction::from_word(word);
                let unknown = || E::invalid_value(de::Unexpected::Str(word), &self);
                direction
                    .map(|it| ReadValue(it.number()))
                    .ok_or_else(unknown)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// The values of a cell's parameters, in the order in which they vary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(Param, u64)>);

impl Params {
    /// Whether the test has no parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn get(&self, param: Param) -> Option<u64> {
        self.0.iter().find(|(p, _)| *p == param).map(|(_, v)| *v)
    }

    /// The swept size that `result.csv` has its columns for: the MSS, else the datagram.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.get(Param::Mss).or_else(|| self.get(Param::Datagram))
    }

    /// The parameters of a tool that sweeps none.
    #[must_use]
    pub fn fixed(tool: &ToolSpec) -> Params {
        let first = |(param, values): Axis| Some((param, *values.first()?));
        Params(axes(tool).into_iter().filter_map(first).collect())
    }

    /// Which way the payload goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let number = self.get(Param::Direction);
        number.and_then(Direction::from_number).unwrap_or_default()
    }
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0
                .iter()
                .map(|(param, value)| (param, param.plain(*value))),
        )
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<(Param, ReadValue)>::deserialize(deserializer)?;
        Ok(Params(
            values
                .into_iter()
                .map(|(param, ReadValue(value))| (param, value))
                .collect(),
        ))
    }
}

/// The same name, kept once for as long as the process lives: plans have few names, and each of a
/// million samples has parameters. The reference is as small as a number.
fn interned(name: &str) -> &'static String {
    static NAMES: Mutex<BTreeMap<&'static str, &'static String>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.get(name).copied().unwrap_or_else(|| {
        let kept: &'static String = Box::leak(Box::new(name.to_owned()));
        names.insert(kept, kept);
        kept
    })
}

impl From<Param> for &'static str {
    fn from(param: Param) -> &'static str {
        param.name()
    }
}

// By hand: a derived one would borrow the name from its source.
impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Param, D::Error> {
        String::deserialize(deserializer).map(|name| Param::named(&name))
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parameter of a test with its values: in order, each once, never none.
pub(super) type Axis = (Param, Vec<u64>);

/// What the tool of a test sets, in the order in which it varies.
pub(super) fn axes(tool: &ToolSpec) -> Vec<Axis> {
    params_of(tool)
        .into_iter()
        .filter_map(|param| {
            let mut values: Vec<u64> = tool.values(param.name())?.values().collect();
            if values.len() > 1 {
                // A value that a list has twice would give two cells one id.
                let mut seen = HashSet::with_capacity(values.len());
                values.retain(|value| seen.insert(*value));
            }
            (!values.is_empty()).then_some((param, values))
        })
        .collect()
}

/// The parameters that a tool may have, in the order in which they vary.
fn params_of(tool: &ToolSpec) -> Vec<Param> {
    let mut params = Param::ALL.to_vec();
    if let ToolSpec::Declared(used) = tool {
        let own = used.tool.parameters.keys().map(|name| Param::named(name));
        let own = own.filter(|param| matches!(param, Param::Own(_)));
        // Before the sizes, which are the columns of tables.
        let sizes = params.len() - 2;
        params.splice(sizes..sizes, own);
    }
    params
}

/// Whether the tool of a test sets the parameter.
pub(super) fn sets(tool: &ToolSpec, param: Param) -> bool {
    let values = tool.values(param.name());
    values.is_some_and(|values| !values.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_word_of_a_direction_and_the_number_of_all_else() {
        let params = Params(vec![
            (Param::Direction, Direction::Both.number()),
            (Param::Streams, 2),
        ]);
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(text, r#"[["direction","both"],["streams",2]]"#);
        assert_eq!(serde_json::from_str::<Params>(&text).unwrap(), params);
        assert_eq!(params.direction(), Direction::Both);
        assert_eq!(Params::default().direction(), Direction::Forward);
        let unknown = serde_json::from_str::<Params>(r#"[["direction","sideways"]]"#);
        assert!(
            unknown
                .unwrap_err()
                .to_string()
                .contains("the word of a direction")
        );
    }

    #[test]
    fn the_name_of_an_own_parameter_is_kept_once() {
        let (size, burst) = (Param::named("size"), Param::named("burst"));
        assert_eq!(size, Param::named("size"));
        assert!(std::ptr::eq(size.name(), Param::named("size").name()));
        assert!(burst < size);
        assert_eq!(Param::named("mss"), Param::Mss);
    }
}

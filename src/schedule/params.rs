//! The parameters that a test sets, and the values that each takes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize};

use crate::plan::ToolSpec;
use crate::plan::units::{BitRate, Bytes};

/// A parameter that can be swept. Sizes are bytes, rates are bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
pub enum Param {
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
    pub const ALL: [Param; 7] = [
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
            Param::Rate => BitRate(value).to_string(),
            Param::WriteSize | Param::Request | Param::Response => Bytes(value).to_string(),
            Param::Streams | Param::Datagram | Param::Mss | Param::Own(_) => value.to_string(),
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
    fn the_name_of_an_own_parameter_is_kept_once() {
        let (size, burst) = (Param::named("size"), Param::named("burst"));
        assert_eq!(size, Param::named("size"));
        assert!(std::ptr::eq(size.name(), Param::named("size").name()));
        assert!(burst < size);
        assert_eq!(Param::named("mss"), Param::Mss);
    }
}

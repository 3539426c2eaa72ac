//! One term of a selection: a key, and the values that it may have.

use std::collections::BTreeSet;
use std::fmt;

use indexmap::IndexSet;

use super::suggestion::suggest;
use crate::diag::{Problem, quote};
use crate::plan::{Plan, Test, ToolSpec, Via};
use crate::schedule::params::{Axis, axes};
use crate::schedule::params::{Param, PlainValue};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) key: Key,
    values: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Tool,
    Test,
    Path,
    Via,
    From,
    To,
    Protocol,
    /// Only of plans with variants.
    Variant,
    Param(Param),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Range(u64, u64),
}

impl Key {
    const NAMED: [(&'static str, Key); 8] = [
        ("tool", Key::Tool),
        ("test", Key::Test),
        ("path", Key::Path),
        ("via", Key::Via),
        ("from", Key::From),
        ("to", Key::To),
        ("protocol", Key::Protocol),
        ("variant", Key::Variant),
    ];

    /// All keys of selections of this plan's cells.
    fn all(plan: &Plan) -> Vec<(&'static str, Key)> {
        let own = all_axes(plan).map(|(param, _)| param);
        let own: IndexSet<Param> = own.filter(|p| matches!(p, Param::Own(_))).collect();
        let params = Param::ALL.into_iter().chain(own);
        let params = params.map(|p| (p.name(), Key::Param(p)));
        let has = |(_, key): &(_, Key)| *key != Key::Variant || !plan.variants.is_empty();
        Self::NAMED.into_iter().filter(has).chain(params).collect()
    }

    fn name(self) -> &'static str {
        if let Key::Param(param) = self {
            return param.name();
        }
        Self::NAMED
            .into_iter()
            .find(|(_, key)| *key == self)
            .map_or("", |(name, _)| name)
    }

    fn parse(text: &str, plan: &Plan) -> Result<Self, Problem> {
        let all = Self::all(plan);
        all.iter()
            .find(|(name, _)| *name == text)
            .map(|(_, key)| *key)
            .ok_or_else(|| {
                let keys: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
                Problem::without_place(format!("unknown key {} in the selection", quote(text)))
                    .help(suggest(text, &keys, "the keys are"))
            })
    }
}

impl Term {
    pub(super) fn parse(part: &str, plan: &Plan) -> Result<Self, Problem> {
        let malformed = |what: String| {
            Problem::without_place(what).help(
                "write `key=value`, with `,` between terms and `|` between values: \
                 `tool=iperf3,path=hairpin|same-*,mss=96..608`",
            )
        };
        if part.is_empty() {
            return Err(malformed("the selection has an empty term".to_owned()));
        }
        let (key, values) = part
            .split_once('=')
            .ok_or_else(|| malformed(format!("{} is not a term of a selection", quote(part))))?;
        let key = Key::parse(key.trim(), plan)?;
        let values = values
            .split('|')
            .map(|value| Value::parse(key, value.trim()))
            .collect::<Option<Vec<Value>>>()
            .ok_or_else(|| malformed(format!("{} has an empty value", quote(part))))?;
        Ok(Term { key, values })
    }

    /// Each value must select something by itself.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), Problem> {
        let there: Vec<String> = match self.key {
            Key::Param(param) => {
                let values: BTreeSet<u64> = all_axes(plan)
                    .filter(|(p, _)| *p == param)
                    .flat_map(|(_, values)| values)
                    .collect();
                for value in &self.values {
                    if !values.iter().any(|v| value.is(param, *v)) {
                        let values: Vec<String> = values
                            .iter()
                            .map(|value| param.plain(*value).to_string())
                            .collect();
                        return Err(self.nothing(value, &values));
                    }
                }
                return Ok(());
            }
            key => plan
                .tests
                .iter()
                .flat_map(|test| {
                    plan.paths_of(test)
                        .into_iter()
                        .flat_map(move |path| names(key, plan, test, path))
                })
                .collect::<IndexSet<String>>()
                .into_iter()
                .collect(),
        };
        match self
            .values
            .iter()
            .find(|value| !there.iter().any(|name| value.matches(name)))
        {
            Some(value) => Err(self.nothing(value, &there)),
            None => Ok(()),
        }
    }

    fn nothing(&self, value: &Value, there: &[String]) -> Problem {
        let key = self.key.name();
        let there: Vec<&str> = there.iter().map(String::as_str).collect();
        let help = match value {
            _ if there.is_empty() => format!("no test of the plan sets `{key}`"),
            Value::Range(from, to) if from > to => {
                format!("the range is descending: write `{key}={to}..{from}`")
            }
            _ => suggest(&value.to_string(), &there, &format!("`{key}` can be")),
        };
        let what = format!("{} selects no cell", quote(&format!("{key}={value}")));
        Problem::without_place(what).help(help)
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.values.iter().any(|value| value.matches(name))
    }

    pub(super) fn has_value(&self, param: Param, value: u64) -> bool {
        self.values.iter().any(|v| v.is(param, value))
    }
}

impl Value {
    /// `None` for nothing.
    fn parse(key: Key, text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if let (Key::Param(_), Some((from, to))) = (key, text.split_once(".."))
            && let (Ok(from), Ok(to)) = (from.trim().parse(), to.trim().parse())
        {
            return Some(Value::Range(from, to));
        }
        Some(Value::Text(text.to_owned()))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Value::Text(pattern) => glob(pattern, name),
            Value::Range(..) => false,
        }
    }

    fn is(&self, param: Param, value: u64) -> bool {
        match self {
            Value::Range(from, to) => (*from..=*to).contains(&value),
            Value::Text(text) => match text.parse::<u64>() {
                Ok(number) => PlainValue::Number(number) == param.plain(value),
                Err(_) => squeezed(text) == squeezed(&param.value_text(value)),
            },
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Range(from, to) => write!(f, "{from}..{to}"),
        }
    }
}

/// The tools of a test under each variant.
pub(super) fn tools<'a>(plan: &'a Plan, test: &'a Test) -> impl Iterator<Item = &'a ToolSpec> {
    (0..plan.variants.len().max(1)).map(|variant| plan.tool(test, variant))
}

fn all_axes(plan: &Plan) -> impl Iterator<Item = Axis> {
    plan.tests
        .iter()
        .flat_map(|test| tools(plan, test))
        .flat_map(axes)
}

/// The worker's name, and what it is in the base.
fn worker_names(plan: &Plan, worker: &str) -> Vec<String> {
    let base = plan.workers.get(worker).and_then(|w| w.base.clone());
    base.into_iter().chain([worker.to_owned()]).collect()
}

/// What a cell of this test and path is called under a key; a name may have several forms. A path
/// of a mesh is also selected by the mesh's name, like in a test's `paths`.
pub(super) fn names(key: Key, plan: &Plan, test: &Test, at: usize) -> Vec<String> {
    let Some(path) = plan.paths.get(at) else {
        return Vec::new();
    };
    let name = match key {
        Key::Tool => test.tool.name(),
        Key::Test => &test.name,
        Key::Path => {
            let mut meshes = plan.meshes.iter();
            let mesh = meshes.find(|mesh| mesh.paths.contains(&at));
            let mesh = mesh.map(|mesh| mesh.mesh.name.clone());
            let names = mesh.into_iter().chain([path.plain_name().to_owned()]);
            let own = (path.variant > 0).then(|| path.name.clone());
            return names.chain(own).collect();
        }
        Key::Via => match path.via {
            Via::PodIp => "pod_ip",
            Via::ClusterIp => "cluster_ip",
            Via::Host => "host",
        },
        Key::From => return worker_names(plan, &path.from),
        Key::To => return worker_names(plan, &path.to),
        Key::Variant => plan.variant_name(path.variant).unwrap_or_default(),
        Key::Protocol => match test.tool.transport() {
            Some(transport) => transport.name(),
            None => return Vec::new(),
        },
        Key::Param(_) => return Vec::new(),
    };
    vec![name.to_owned()]
}

/// Whether a name matches a pattern in which `*` matches any characters.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // The leftmost match leaves most for what follows.
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.ends_with(tail)
}

/// Without spaces and case, so that `100Mbit/s` is `100 Mbit/s`.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

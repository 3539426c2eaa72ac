//! What a key of the language means, by path.

use std::fmt;

use super::key::{Form, Key, Kind, Limits, Presence, Word, key, seconds_text};
use super::keys::{PLAN, RANGE};
use super::schema::{BOUNDS_TEXT, metric_text};
use crate::catalog::{METRICS, Metric};
use crate::diag::{Problem, did_you_mean, one_of, quote};
use crate::plan::model::plan_file::VERSION;
use crate::plan::model::units::{BitRate, Bytes, Duration, Percent};

/// What is at a path of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// From the top, without names and indexes: `workers.same_node_as`. Empty at the top.
    pub path: String,
    /// The last key of it; a metric's has a dot of its own, e.g. `latency.p99`.
    pub name: String,
    /// What a value is: `text`, `number from 1 to 128, list or mapping`.
    pub kind: String,
    /// The least and the largest value, e.g. `1 to 128`.
    pub range: Option<String>,
    /// The paragraphs of its text, without the default.
    pub text: Vec<String>,
    /// What it is when it is left out, if that is said.
    pub default: Option<String>,
    /// Whether it is required.
    pub required: bool,
    /// The words that it may be, each with its text.
    pub words: Vec<(String, String)>,
    /// The keys in it, without what is in those.
    pub keys: Vec<Explanation>,
}

/// The whole plan as the value of a key.
const TOP: Key = key("", Kind::Map(&PLAN), "");

/// Explains a path, e.g. `workers.same_node_as`, or the whole language when it is empty. Names and
/// indexes may be in it, e.g. `tests.0.iperf3.mss`, or not.
///
/// # Errors
/// For a key that does not exist, with the one that is probably meant.
pub fn explain(path: &str) -> Result<Explanation, Problem> {
    let mut at = Node::top();
    // A name or an index is skipped once for each level of names or items.
    let mut may_skip = false;
    let mut rest = path.trim_matches('.');
    while !rest.is_empty() {
        let keys = at.keys();
        let begins = |key: &&Node| {
            let behind = rest.strip_prefix(key.key.name);
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('.'))
        };
        if let Some(found) = keys
            .iter()
            .filter(begins)
            .max_by_key(|node| node.key.name.len())
        {
            rest = rest.get(found.key.name.len() + 1..).unwrap_or_default();
            may_skip = has_entries(&found.key.kind);
            at = found.clone();
            continue;
        }
        let (step, behind) = rest.split_once('.').unwrap_or((rest, ""));
        let near = did_you_mean(step, keys.iter().map(|node| node.key.name));
        if near.is_none() && may_skip {
            may_skip = false;
            rest = behind;
            continue;
        }
        return Err(at.unknown(rest, step, near));
    }
    Ok(at.explain(true))
}

/// A key and its path.
#[derive(Clone)]
struct Node {
    path: String,
    key: Key,
    /// What is said of it beside the key's own text.
    more: String,
}

impl Node {
    fn top() -> Self {
        Self {
            path: String::new(),
            key: TOP,
            more: String::new(),
        }
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn keys(&self) -> Vec<Node> {
        let mut keys: Vec<Node> = Vec::new();
        visit(&self.key.kind, &mut |kind| {
            let mut add = |key: Key, more: String| {
                if keys.iter().all(|node| node.key.name != key.name) {
                    let path = self.below(key.name);
                    keys.push(Node { path, key, more });
                }
            };
            match *kind {
                Kind::Map(mapping) => {
                    mapping.all_keys().for_each(|key| add(*key, String::new()));
                }
                Kind::Sweep(of) => {
                    for end in RANGE.all_keys() {
                        add(Key { kind: *of, ..*end }, String::new());
                    }
                }
                Kind::Bounds => {
                    for word in METRICS.iter().filter_map(|metric| metric.word) {
                        let text = Metric::known(word).map(|metric| metric_text(&metric));
                        add(
                            key(word, Kind::Text(Form::Any), ""),
                            text.unwrap_or_default(),
                        );
                    }
                }
                _ => {}
            }
        });
        keys
    }

    fn explain(&self, with_keys: bool) -> Explanation {
        let mut text = vec![self.key.text.to_owned(), self.more.clone()];
        let mut words = Vec::new();
        // Below lists and names the mapping's text is that of an entry.
        visit(&self.key.kind, &mut |kind| match kind {
            Kind::Map(mapping) => text.push(mapping.text.to_owned()),
            Kind::Bounds => text.push(BOUNDS_TEXT.to_owned()),
            Kind::Word(of) => {
                let named = |word: Word| (word.name, word.text.to_owned());
                words.extend(of().into_iter().map(named));
            }
            Kind::Words(of) => {
                let named = |(word, text): &(&str, &str)| ((*word).to_owned(), (*text).to_owned());
                // A word may also be an item of a list.
                let new: Vec<_> = of
                    .iter()
                    .map(named)
                    .filter(|it| !words.contains(it))
                    .collect();
                words.extend(new);
            }
            Kind::Sweep(_) => text.push(SWEEP_TEXT.to_owned()),
            _ => {}
        });
        text.retain(|paragraph| !paragraph.is_empty());
        text.dedup();
        let keys = if with_keys { self.keys() } else { Vec::new() };
        Explanation {
            path: self.path.clone(),
            name: self.key.name.to_owned(),
            kind: match self.key.most {
                Some(most) => format!("{}; at most {}", kind_text(&self.key.kind), most.entries),
                None => kind_text(&self.key.kind),
            },
            range: range_text(&self.key.kind),
            text,
            default: match self.key.presence {
                Presence::Default(default) => Some(default.to_owned()),
                Presence::Required | Presence::Optional => None,
            },
            required: self.key.presence == Presence::Required,
            words,
            keys: keys.iter().map(|key| key.explain(false)).collect(),
        }
    }

    fn unknown(&self, rest: &str, step: &str, near: Option<&str>) -> Problem {
        let place = if self.path.is_empty() {
            "at the top of a plan".to_owned()
        } else {
            format!("in `{}`", self.path)
        };
        let keys = self.keys();
        // A key of another place may be meant, e.g. `repeat` for `defaults.repeat`.
        let elsewhere = elsewhere(rest);
        let help = match near {
            None if !elsewhere.is_empty() => format!(
                "did you mean {}?",
                one_of(elsewhere.iter().map(String::as_str))
            ),
            Some(near) => format!("did you mean `{}`?", self.below(near)),
            None if keys.is_empty() => format!("`{}` has no keys", self.path),
            None => format!(
                "keys there are {}",
                one_of(keys.iter().map(|node| node.key.name)).replace(" or ", " and ")
            ),
        };
        Problem::without_place(format!("there is no key {} {place}", quote(step))).help(help)
    }
}

const SWEEP_TEXT: &str = "It takes one value, a list of values, or a range.";

/// The paths that end in this one: the first few, nearest to the top first.
fn elsewhere(path: &str) -> Vec<String> {
    /// No key lies deeper.
    const DEEPEST: usize = 8;
    let ending = format!(".{path}");
    let mut found = Vec::new();
    let mut level = vec![Node::top()];
    for _ in 0..DEEPEST {
        level = level.iter().flat_map(Node::keys).collect();
        let here = level.iter().filter(|node| node.path.ends_with(&ending));
        found.extend(here.map(|node| node.path.clone()));
    }
    found.truncate(4);
    found
}

/// Visits a kind, and the kinds of its entries and alternatives.
fn visit(kind: &Kind, see: &mut impl FnMut(&Kind)) {
    see(kind);
    match kind {
        Kind::Names(_, of) => visit(of, see),
        Kind::List(list) => visit(&list.item, see),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| visit(kind, see)),
        _ => {}
    }
}

/// Whether a name or an index may follow in a path.
fn has_entries(kind: &Kind) -> bool {
    let mut found = false;
    visit(kind, &mut |kind| {
        found |= matches!(kind, Kind::Names(..) | Kind::List(_) | Kind::Sweep(_));
    });
    found
}

/// What a value is, in a few words.
fn kind_text(kind: &Kind) -> String {
    let (name, range) = name_and_range(kind);
    format!("{name}{range}")
}

/// What its numbers may be: `1 to 128`.
fn range_text(kind: &Kind) -> Option<String> {
    let (_, range) = name_and_range(kind);
    let (_, range) = range.split_once("from ")?;
    Some(range.to_owned())
}

fn name_and_range(kind: &Kind) -> (String, String) {
    let (name, range) = match kind {
        Kind::Version => return (VERSION.to_string(), String::new()),
        Kind::Text(_) => ("text", String::new()),
        Kind::Bool => ("true or false", String::new()),
        Kind::Number(Limits { least, most, .. }) => ("number", span(*most, least, most)),
        Kind::Duration(Limits { least, most, .. })
        | Kind::WholeSeconds(Limits { least, most, .. }) => (
            "duration",
            span(*most, seconds_text(*least), seconds_text(*most)),
        ),
        Kind::ShortDuration(Limits { least, most, .. }) => {
            let (least, most) = (Duration::from_micros(*least), Duration::from_micros(*most));
            ("duration", format!(" from {least} to {most}"))
        }
        Kind::Rate(Limits { least, most, .. }) => {
            ("bit rate", span(*most, BitRate(*least), BitRate(*most)))
        }
        Kind::Bytes(Limits { least, most, .. }) => {
            ("bytes", span(*most, Bytes(*least), Bytes(*most)))
        }
        Kind::Percent(least, most) => {
            let range = format!(" from {} to {}", Percent(*least), Percent(*most));
            ("percentage", range)
        }
        Kind::AnyNumber => ("number", String::new()),
        Kind::Sweep(of) => {
            let (name, range) = name_and_range(of);
            let range = range.replacen(' ', "; ", 1);
            return (format!("{name}, list of {name} or mapping"), range);
        }
        Kind::Word(_) | Kind::Words(_) => ("word", String::new()),
        Kind::Map(_) | Kind::Bounds | Kind::PodTemplate | Kind::Fields => {
            ("mapping", String::new())
        }
        Kind::Names(_, of) => {
            return (
                format!("mapping of names to {}", kind_text(of)),
                String::new(),
            );
        }
        Kind::List(list) => return (format!("list of {}", kind_text(&list.item)), String::new()),
        Kind::Either(kinds) => {
            let mut texts: Vec<String> = kinds.iter().map(kind_text).collect();
            texts.dedup();
            return (texts.join(" or "), String::new());
        }
        Kind::Scalar => ("text or number", String::new()),
    };
    (name.to_owned(), range)
}

/// ` from 1 to 128`; empty where only the size of a number limits it.
fn span(most_number: u64, least: impl fmt::Display, most: impl fmt::Display) -> String {
    if most_number == u64::MAX {
        String::new()
    } else {
        format!(" from {least} to {most}")
    }
}

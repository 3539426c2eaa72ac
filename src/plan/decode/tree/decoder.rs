//! Tree → values: small decoders that note what is wrong and continue, so that one reading finds
//! every problem. `None` always means that a problem has been noted, or that the key is not there.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::diag::{Passage, Place, Problem, Problems, did_you_mean, one_of, quote};
use crate::plan::model::choice::{Choice, word};
use crate::plan::model::units::{BitRate, Quantity};
use crate::plan::text::tree::{Entry, Kind, NodeId, Tree, Value};

/// The tree that is decoded, and the problems so far.
pub struct Decoder<'t> {
    pub tree: &'t Tree,
    problems: RefCell<Problems>,
    /// Values that could not be read, which has been said.
    unread: HashSet<Place>,
    /// The plan was checked before; see [`SourceEnv::is_checked`](super::SourceEnv::is_checked).
    pub is_checked: bool,
}

/// A decoded value and its place.
#[derive(Clone, Copy, Debug)]
pub struct At<T> {
    pub value: T,
    pub place: Place,
}

impl<'t> Decoder<'t> {
    pub fn new(
        tree: &'t Tree,
        problems: Problems,
        unread: HashSet<Place>,
        is_checked: bool,
    ) -> Decoder<'t> {
        Decoder {
            tree,
            problems: RefCell::new(problems),
            unread,
            is_checked,
        }
    }

    pub fn finish(self) -> Problems {
        self.problems.into_inner()
    }

    /// Whether further problems are only counted.
    pub fn is_full(&self) -> bool {
        self.problems.borrow().is_full()
    }

    pub fn report(&self, problem: Problem) {
        let in_unread = |place| self.unread.contains(place);
        if !problem.place.as_ref().is_some_and(in_unread) {
            self.problems.borrow_mut().push(problem);
        }
    }

    pub fn place(&self, id: NodeId) -> Place {
        self.tree.get(id).place
    }

    /// What is written in a place, for problems that show later.
    pub fn passage(&self, place: Place) -> Passage {
        self.problems.borrow().passage(place)
    }

    /// The text of a node that is no list and no mapping, as the plan writes it.
    pub fn scalar_text(&self, id: NodeId) -> Option<&'t str> {
        match &self.tree.get(id).kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Whether a node is a list.
    pub fn is_list(&self, id: NodeId) -> bool {
        matches!(self.tree.get(id).kind, Kind::List(_))
    }

    /// Notes that a node is not what is expected there.
    pub fn expected<T>(&self, id: NodeId, what: &str, help: &str) -> Option<T> {
        let node = self.tree.get(id);
        let found = match &node.kind {
            Kind::Map(_) => "a mapping".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Scalar(scalar) => match scalar.value {
                Value::Null => "nothing".to_owned(),
                Value::Bool(_) => format!("the boolean {}", quote(&scalar.text)),
                Value::Whole(_) | Value::Number => format!("the number {}", quote(&scalar.text)),
                Value::Text => format!("the text {}", quote(&scalar.text)),
            },
        };
        let mut problem = Problem::new(node.place, format!("expected {what}, found {found}"));
        if !help.is_empty() {
            problem = problem.help(help);
        }
        self.report(problem);
        None
    }

    /// For what is either a mapping or something simpler.
    pub fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.tree.get(id).kind, Kind::Map(_))
    }

    /// The keys of a mapping; none of anything else.
    pub fn keys(&self, id: NodeId) -> Vec<&'t str> {
        match &self.tree.get(id).kind {
            Kind::Map(map) => map.entries.iter().map(|entry| &*entry.key).collect(),
            Kind::List(_) | Kind::Scalar(_) => Vec::new(),
        }
    }

    /// Where a key of a mapping is, or the mapping itself.
    pub fn key_place(&self, id: NodeId, key: &str) -> Place {
        self.entry(id, key)
            .map_or_else(|| self.place(id), |entry| entry.key_place)
    }

    /// The entry to which a path of keys leads.
    pub fn find(&self, id: NodeId, keys: &[&str]) -> Option<&'t Entry> {
        let (last, outer) = keys.split_last()?;
        let mut at = id;
        for key in outer {
            at = self.entry(at, key)?.value;
        }
        self.entry(at, last)
    }

    fn entry(&self, id: NodeId, key: &str) -> Option<&'t Entry> {
        match &self.tree.get(id).kind {
            Kind::Map(map) => map.get(key),
            Kind::List(_) | Kind::Scalar(_) => None,
        }
    }

    /// Whether a node is a mapping with this key.
    pub fn has_key(&self, id: NodeId, key: &str) -> bool {
        matches!(&self.tree.get(id).kind, Kind::Map(map) if map.get(key).is_some())
    }

    pub fn text(&self, id: NodeId) -> Option<At<&'t str>> {
        let node = self.tree.get(id);
        match &node.kind {
            Kind::Scalar(scalar) if scalar.value == Value::Text || scalar.filled => Some(At {
                value: &scalar.text,
                place: node.place,
            }),
            Kind::Scalar(scalar) if scalar.value != Value::Null => {
                let help = format!("for a text write it in quotes: `\"{}\"`", scalar.text);
                self.expected(id, "text", &help)
            }
            _ => self.expected(id, "text", ""),
        }
    }

    /// A whole number within bounds. `unit` is what it counts, for messages; may be empty.
    pub fn whole(&self, id: NodeId, least: u64, most: u64, unit: &str) -> Option<u64> {
        let node = self.tree.get(id);
        let range = match (most, unit) {
            (u64::MAX, _) => String::new(),
            (_, "") => format!(" from {least} to {most}"),
            _ => format!(" from {least} to {most} {unit}"),
        };
        match &node.kind {
            Kind::Scalar(scalar) => match scalar.value {
                Value::Whole(number) if (least..=most).contains(&number) => Some(number),
                Value::Whole(number) => {
                    self.out_of_range(node.place, &number.to_string(), least, most, unit);
                    None
                }
                Value::Text
                    if !scalar.text.is_empty()
                        && scalar.text.bytes().all(|c| c.is_ascii_digit()) =>
                {
                    self.expected(id, "a whole number", "leave out the quotes")
                }
                _ => self.expected(id, &format!("a whole number{range}"), ""),
            },
            _ => self.expected(id, &format!("a whole number{range}"), ""),
        }
    }

    pub(super) fn out_of_range(
        &self,
        place: Place,
        found: &str,
        least: u64,
        most: u64,
        unit: &str,
    ) {
        let space = if unit.is_empty() { "" } else { " " };
        let what = format!("{found} is out of range");
        let help = match unit {
            "bit/s" => format!("allowed: `{}` to `{}`", BitRate(least), BitRate(most)),
            _ => format!("allowed: {least} to {most}{space}{unit}"),
        };
        self.report(Problem::new(place, what).help(help));
    }

    pub fn boolean(&self, id: NodeId) -> Option<bool> {
        match &self.tree.get(id).kind {
            Kind::Scalar(scalar) => match (scalar.value, scalar.text.as_str()) {
                (Value::Bool(value), _) => Some(value),
                (Value::Text, "yes" | "on") => {
                    self.expected(id, "`true` or `false`", "write `true`")
                }
                (Value::Text, "no" | "off") => {
                    self.expected(id, "`true` or `false`", "write `false`")
                }
                _ => self.expected(id, "`true` or `false`", ""),
            },
            _ => self.expected(id, "`true` or `false`", ""),
        }
    }

    /// A quantity with its unit.
    pub fn quantity<Q: Quantity>(&self, id: NodeId) -> Option<At<Q>> {
        let node = self.tree.get(id);
        match &node.kind {
            Kind::Scalar(scalar) if !matches!(scalar.value, Value::Null | Value::Bool(_)) => {
                match Q::parse(&scalar.text) {
                    Ok(value) => Some(At {
                        value,
                        place: node.place,
                    }),
                    Err(error) => {
                        self.report(error.at(node.place));
                        None
                    }
                }
            }
            _ => self.expected(id, Q::NAME, &format!("e.g. {}", Q::EXAMPLE)),
        }
    }

    /// A quantity within bounds.
    pub fn bounded<Q>(&self, id: NodeId, least: Q, most: Q) -> Option<Q>
    where
        Q: Quantity + PartialOrd + std::fmt::Display + Copy,
    {
        let At { value, place } = self.quantity::<Q>(id)?;
        if value < least || value > most {
            let problem = Problem::new(place, format!("`{value}` is out of range"));
            self.report(problem.help(format!("allowed: `{least}` to `{most}`")));
            return None;
        }
        Some(value)
    }

    /// A rate within bounds, of a key that sets no limit where it is left out.
    pub fn rate_limit(&self, id: NodeId, least: BitRate, most: BitRate) -> Option<BitRate> {
        if let Kind::Scalar(scalar) = &self.tree.get(id).kind
            && BitRate::parse(&scalar.text) == Ok(BitRate(0))
        {
            let problem = Problem::new(self.place(id), "a rate of 0 would send nothing");
            self.report(problem.help("omit the key for no limit"));
            return None;
        }
        self.bounded(id, least, most)
    }

    /// A value of a choice, by its word or another spelling of it.
    pub fn value_of<T: Choice>(&self, id: NodeId) -> Option<T> {
        let mut values = T::ALL.iter().map(|(value, _)| *value);
        if let Kind::Scalar(scalar) = &self.tree.get(id).kind
            && let Some(value) = values
                .clone()
                .find(|value| value.also().contains(&scalar.text.as_ref()))
        {
            return Some(value);
        }
        let words: Vec<String> = values.clone().map(|value| word(&value)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        values.nth(self.word(id, &words)?)
    }

    /// One of some values, by its word.
    pub fn choice<T: Copy>(&self, id: NodeId, choices: &[(&'static str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let (_, value) = choices.get(self.word(id, &words)?)?;
        Some(*value)
    }

    /// The index of one of some words.
    pub fn word(&self, id: NodeId, known: &[&str]) -> Option<usize> {
        let words = || known.iter().copied();
        let node = self.tree.get(id);
        let Kind::Scalar(scalar) = &node.kind else {
            return self.expected(id, &one_of(words()), "");
        };
        if scalar.value == Value::Null {
            return self.expected(id, &one_of(words()), "");
        }
        let found = words().position(|word| word == scalar.text);
        if found.is_none() {
            let what = format!("unknown value {}", quote(&scalar.text));
            let problem =
                Problem::new(node.place, what).help(format!("allowed: {}", one_of(words())));
            self.report(match did_you_mean(&scalar.text, words()) {
                Some(word) => problem.label(format!("did you mean `{word}`?")),
                None => problem,
            });
        }
        found
    }

    /// A list with at least one item.
    pub fn list(&self, id: NodeId, what: &str) -> Option<&'t [NodeId]> {
        match &self.tree.get(id).kind {
            Kind::List(items) if items.is_empty() => {
                let problem = Problem::new(self.place(id), "the list is empty");
                self.report(problem.help(format!("it needs at least one item: {what}")));
                None
            }
            Kind::List(items) => Some(items),
            Kind::Map(_) => {
                self.expected(id, "a list", &format!("start each item with `- `: {what}"))
            }
            Kind::Scalar(_) => self.expected(id, "a list", &format!("e.g. {what}")),
        }
    }

    /// Notes the second of two equal items of a list.
    pub fn duplicate(&self, again: Option<&NodeId>, first: Option<&NodeId>, value: &str) {
        if let (Some(again), Some(first)) = (again, first) {
            self.report(
                Problem::new(
                    self.place(*again),
                    format!("duplicate item {}", quote(value)),
                )
                .label("again here")
                .related(self.place(*first), "first here")
                .help("remove one of them"),
            );
        }
    }
}

/// A value without its place, or its type's default.
pub fn value_or_default<T: Default>(found: Option<At<T>>) -> T {
    found.map(|at| at.value).unwrap_or_default()
}

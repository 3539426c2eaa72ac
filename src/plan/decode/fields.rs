//! The keys of a mapping: those that are asked for, those that are missing, those that are unknown.

use std::cell::RefCell;
use std::collections::HashMap;

use super::decoder::{Decoder, some_of};
use crate::diag::{Place, Problem, did_you_mean, quote};
use crate::plan::text::tree::{Entry, Kind, Map, NodeId, Value};

impl<'t> Decoder<'t> {
    /// The keys of a mapping, which `what` describes. `optional`: nothing at all counts as an empty one.
    pub fn fields(&self, id: NodeId, what: &'static str, optional: bool) -> Option<Fields<'_, 't>> {
        static EMPTY: Map = Map {
            entries: Vec::new(),
            incomplete: false,
        };
        let node = self.tree.get(id);
        let map = match &node.kind {
            Kind::Map(map) => map,
            Kind::Scalar(scalar) if optional && scalar.value == Value::Null => &EMPTY,
            _ => return self.expected(id, what, ""),
        };
        let index = map.entries.iter().map(|entry| (entry.key.as_str(), entry));
        Some(Fields {
            decoder: self,
            place: node.place,
            map,
            index: index.collect(),
            asked: RefCell::default(),
            what,
        })
    }
}

/// Of more keys than any mapping has, the rest is not looked through for misspelt ones.
const MANY_KEYS: usize = 50;

/// The keys of a mapping, each to be asked for once; then [`Fields::done`].
pub struct Fields<'d, 't> {
    decoder: &'d Decoder<'t>,
    pub place: Place,
    map: &'t Map,
    index: HashMap<&'t str, &'t Entry>,
    asked: RefCell<Vec<String>>,
    what: &'static str,
}

impl<'t> Fields<'_, 't> {
    pub fn entry(&self, key: &'static str) -> Option<&'t Entry> {
        self.named(key)
    }

    /// As [`Fields::entry`], by a name that a person gave.
    pub fn named(&self, key: &str) -> Option<&'t Entry> {
        self.asked.borrow_mut().push(key.to_owned());
        self.index.get(key).copied()
    }

    /// The key's place, when it is there.
    pub fn key_place(&self, key: &str) -> Option<Place> {
        self.index.get(key).map(|entry| entry.key_place)
    }

    pub fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(NodeId) -> Option<T>,
    ) -> Option<T> {
        self.entry(key).and_then(|entry| read(entry.value))
    }

    pub fn required<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(NodeId) -> Option<T>,
    ) -> Option<T> {
        if let Some(entry) = self.entry(key) {
            return read(entry.value);
        }
        // A misspelt key is one problem, not two.
        let misspelt =
            self.map.entries.iter().take(MANY_KEYS).any(|entry| {
                did_you_mean(&entry.key, [key]).is_some() && !self.has_asked(&entry.key)
            });
        if !self.map.incomplete && !misspelt {
            let what = format!("the key `{key}` is missing");
            let help = format!("{} has to stand here", self.what);
            let problem = Problem::new(self.place, what).label("in the mapping that starts here");
            self.decoder.report(problem.help(help));
        }
        None
    }

    fn has_asked(&self, key: &str) -> bool {
        self.asked.borrow().iter().any(|asked| asked == key)
    }

    /// All entries, of a mapping whose keys are names.
    pub fn entries(&self) -> &'t [Entry] {
        &self.map.entries
    }

    pub fn is_incomplete(&self) -> bool {
        self.map.incomplete
    }

    /// Notes the keys that were not asked for.
    pub fn done(&self) {
        self.done_else(|_| None);
    }

    /// As [`Fields::done`]; `elsewhere` knows where a key belongs that does not belong here.
    pub fn done_else(&self, elsewhere: impl Fn(&str) -> Option<String>) {
        let asked = self.asked.borrow();
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        for entry in &self.map.entries {
            if self.has_asked(&entry.key) {
                continue;
            }
            let problem = Problem::new(
                entry.key_place,
                format!("unknown key {}", quote(&entry.key)),
            );
            if self.decoder.is_full() {
                self.decoder.report(problem);
                continue;
            }
            let free = asked
                .iter()
                .copied()
                .filter(|key| !self.index.contains_key(key));
            let suggestion = did_you_mean(&entry.key, free)
                .or_else(|| did_you_mean(&entry.key, asked.iter().copied()));
            self.decoder
                .report(match (elsewhere(&entry.key), suggestion) {
                    (Some(help), _) => problem.help(help),
                    (None, Some(word)) => problem.label(format!("did you mean `{word}`?")),
                    (None, None) => {
                        problem.help(format!("keys that may stand here are {}", some_of(&asked)))
                    }
                });
        }
    }
}

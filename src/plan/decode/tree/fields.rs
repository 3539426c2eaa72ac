//! The keys of a mapping: those that are asked for, those that are missing, those that are unknown.

use std::cell::RefCell;
use std::collections::HashMap;

use super::decoder::{At, Decoder};
use crate::diag::{Place, Problem, did_you_mean, quote, some_of};
use crate::plan::describe::key::{Form, Kind, Limits, MAPPING, Mapping, Most, NewName, Presence};
use crate::plan::model::choice::Choice;
use crate::plan::model::kubernetes::StringMap;
use crate::plan::model::units::{BitRate, Duration, Percent};
use crate::plan::text::tree::{self, Entry, Map, NodeId, Value};

/// The keys that the decoder of a mapping asks for are all that it has.
static UNDESCRIBED: Mapping = MAPPING;

impl<'t> Decoder<'t> {
    /// A mapping with the keys that are described. Notes the others.
    pub fn mapping(&self, id: NodeId, mapping: &'static Mapping) -> Option<Fields<'_, 't>> {
        let fields = self.open(id, mapping.what, mapping.may_be_empty, mapping)?;
        fields.done_else(|key| mapping.hint(key));
        Some(fields)
    }

    /// The keys of a mapping, which `what` describes. `optional`: nothing at all counts as an empty one.
    pub fn fields(&self, id: NodeId, what: &'static str, optional: bool) -> Option<Fields<'_, 't>> {
        self.open(id, what, optional, &UNDESCRIBED)
    }

    /// As [`Decoder::mapping`], without looking for unknown keys: that is for [`Fields::done_else`].
    pub fn open_mapping(&self, id: NodeId, mapping: &'static Mapping) -> Option<Fields<'_, 't>> {
        self.open(id, mapping.what, mapping.may_be_empty, mapping)
    }

    fn open(
        &self,
        id: NodeId,
        what: &'static str,
        optional: bool,
        mapping: &'static Mapping,
    ) -> Option<Fields<'_, 't>> {
        static EMPTY: Map = Map {
            entries: Vec::new(),
            incomplete: false,
        };
        let node = self.tree.get(id);
        let map = match &node.kind {
            tree::Kind::Map(map) => map,
            tree::Kind::Scalar(scalar) if optional && scalar.value == Value::Null => &EMPTY,
            _ => return self.expected(id, what, ""),
        };
        let index = map.entries.iter().map(|entry| (entry.key.as_str(), entry));
        let described = mapping.all_keys().map(|key| key.name.to_owned());
        Some(Fields {
            decoder: self,
            place: node.place,
            map,
            index: index.collect(),
            asked: RefCell::new(described.collect()),
            what,
            mapping,
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
    mapping: &'static Mapping,
}

/// The values of described keys. One that is required and missing is noted.
impl<'t> Fields<'_, 't> {
    fn described(&self, key: &str) -> Option<(Kind, NodeId)> {
        let described = self.mapping.key(key)?;
        let Some(entry) = self.index.get(key) else {
            if described.presence == Presence::Required {
                self.note_missing(key);
            }
            return None;
        };
        let within = described
            .most
            .is_none_or(|most| self.has_at_most(key, entry.value, most));
        within.then_some((described.kind, entry.value))
    }

    fn has_at_most(&self, key: &str, id: NodeId, most: Most) -> bool {
        let node = self.decoder.tree.get(id);
        let entries = match &node.kind {
            tree::Kind::List(items) => items.len(),
            tree::Kind::Map(map) => map.entries.len(),
            tree::Kind::Scalar(_) => 0,
        };
        if entries <= most.entries {
            return true;
        }
        self.decoder.report(
            Problem::new(node.place, format!("`{key}` has {entries} entries"))
                .label(format!("allowed: at most {}", most.entries))
                .help(most.help),
        );
        false
    }

    /// Any value.
    pub fn value(&self, key: &str) -> Option<NodeId> {
        self.described(key).map(|(_, id)| id)
    }

    pub fn text(&self, key: &str) -> Option<At<&'t str>> {
        match self.described(key)? {
            (Kind::Text(form), id) => self.decoder.formed(id, form),
            _ => None,
        }
    }

    pub fn string(&self, key: &str) -> Option<String> {
        self.text(key).map(|text| text.value.to_owned())
    }

    pub fn boolean(&self, key: &str) -> bool {
        let value = self.value(key).and_then(|id| self.decoder.boolean(id));
        value.unwrap_or_default()
    }

    pub fn number(&self, key: &str) -> Option<At<u64>> {
        match self.described(key)? {
            (Kind::Number(limits), id) => self.decoder.number(id, limits),
            _ => None,
        }
    }

    /// A number of at most this, where something else limits it more than its key.
    pub fn number_up_to(&self, key: &str, most: u64) -> Option<At<u64>> {
        match self.described(key)? {
            (Kind::Number(limits), id) => {
                let most = limits.most.min(most);
                self.decoder.number(id, Limits { most, ..limits })
            }
            _ => None,
        }
    }

    /// A number whose limits fit.
    pub fn small_number(&self, key: &str) -> Option<u32> {
        u32::try_from(self.number(key)?.value).ok()
    }

    pub fn duration(&self, key: &str) -> Option<At<Duration>> {
        match self.described(key)? {
            (Kind::Duration(limits), id) => {
                let seconds = |s| Duration(std::time::Duration::from_secs(s));
                let value = self
                    .decoder
                    .bounded(id, seconds(limits.least), seconds(limits.most));
                self.decoder.at(id, value)
            }
            (Kind::WholeSeconds(limits), id) => self.decoder.whole_seconds(id, limits),
            _ => None,
        }
    }

    pub fn rate(&self, key: &str) -> Option<At<BitRate>> {
        match self.described(key)? {
            (Kind::Rate(limits), id) => {
                let (least, most) = (BitRate(limits.least), BitRate(limits.most));
                self.decoder
                    .at(id, self.decoder.rate_limit(id, least, most))
            }
            _ => None,
        }
    }

    pub fn percent(&self, key: &str) -> Option<Percent> {
        match self.described(key)? {
            (Kind::Percent(least, most), id) => {
                self.decoder.bounded(id, Percent(least), Percent(most))
            }
            _ => None,
        }
    }

    pub fn choice<T: Choice>(&self, key: &str) -> Option<At<T>> {
        let id = self.value(key)?;
        self.decoder.at(id, self.decoder.value_of::<T>(id))
    }

    /// A value of one of some kinds.
    pub fn either(&self, key: &str) -> Option<(&'static [Kind], NodeId)> {
        match self.described(key)? {
            (Kind::Either(kinds), id) => Some((kinds, id)),
            _ => None,
        }
    }

    /// A mapping of new names.
    pub fn new_names(&self, key: &str) -> Option<(NewName, NodeId)> {
        match self.described(key)? {
            (Kind::Names(Form::NewName(name), _), id) => Some((name, id)),
            _ => None,
        }
    }

    /// The items of a list that has one at least.
    pub fn list(&self, key: &str) -> Option<&'t [NodeId]> {
        match self.described(key)? {
            (Kind::List(list), id) => self.decoder.list(id, list.example),
            _ => None,
        }
    }

    /// The place of a key in the mapping that a key has.
    pub fn entry_place(&self, key: &str, entry: &str) -> Place {
        let value = self.index.get(key).map(|entry| entry.value);
        let node = value.map(|id| &self.decoder.tree.get(id).kind);
        match node {
            Some(tree::Kind::Map(map)) => {
                map.get(entry).map_or(self.place, |found| found.key_place)
            }
            _ => self.place,
        }
    }

    /// Texts by name.
    pub fn strings(&self, key: &str) -> Option<StringMap> {
        match self.described(key)? {
            (Kind::Names(names, Kind::Text(texts)), id) => {
                self.decoder.string_map(id, names, *texts)
            }
            _ => None,
        }
    }
}

impl<'t> Fields<'_, 't> {
    pub fn entry(&self, key: &'static str) -> Option<&'t Entry> {
        self.named(key)
    }

    /// As [`Fields::entry`], by a name that a person gave.
    pub fn named(&self, key: &str) -> Option<&'t Entry> {
        if !self.has_asked(key) {
            self.asked.borrow_mut().push(key.to_owned());
        }
        self.index.get(key).copied()
    }

    /// The key's place, when it is there.
    pub fn key_place(&self, key: &str) -> Option<Place> {
        self.index.get(key).map(|entry| entry.key_place)
    }

    fn note_missing(&self, key: &str) {
        // A misspelt key is one problem, not two.
        let misspelt =
            self.map.entries.iter().take(MANY_KEYS).any(|entry| {
                did_you_mean(&entry.key, [key]).is_some() && !self.has_asked(&entry.key)
            });
        if !self.map.incomplete && !misspelt {
            let what = format!("the key `{key}` is missing");
            let help = format!("{} is required here", self.what);
            let problem = Problem::new(self.place, what).label("in the mapping that starts here");
            self.decoder.report(problem.help(help));
        }
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

    /// Notes the unknown keys. `elsewhere` knows what to write instead of some.
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
                    (None, None) => problem.help(format!("allowed keys: {}", some_of(&asked))),
                });
        }
    }
}

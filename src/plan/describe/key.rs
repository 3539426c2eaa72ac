//! The description of a key of the language: plain data, from which the decoder, the JSON Schema,
//! `explain` and the reference are made.

pub use crate::plan::model::choice::{Word, words};
use crate::plan::model::kubernetes_names::Check;

/// A mapping of the language and its keys.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// The name of its definition in the JSON Schema.
    pub name: &'static str,
    /// What it is, with its main keys, for `expected …`: "a mapping with `rate` or `delay`".
    pub what: &'static str,
    /// What it means, where no key says so.
    pub text: &'static str,
    /// Its keys. Mappings share groups of keys.
    pub keys: &'static [&'static [Key]],
    /// Further keys. A value has exactly one of them.
    pub one_of: fn() -> &'static [Key],
    /// Whether a missing value means an empty mapping, e.g. `w1:`.
    pub may_be_empty: bool,
    /// What to write instead of keys that people expect here.
    pub hints: &'static [Hint],
}

/// What to write instead of some keys. `{}` in `help` is the key.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    pub keys: &'static [&'static str],
    pub help: &'static str,
}

/// A key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub presence: Presence,
    /// Of a list or of names: the most entries.
    pub most: Option<Most>,
    /// What it means, in sentences, without type, limits and default.
    pub text: &'static str,
}

/// A limit on entries, and what to write instead of more.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    pub entries: usize,
    pub help: &'static str,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Required,
    /// It has no default: without it nothing is said.
    Optional,
    /// What it is when it is left out, without a full stop.
    Default(&'static str),
}

/// The values that a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The number of the language's version.
    Version,
    Text(Form),
    Bool,
    /// A whole number.
    Number(Limits),
    /// A duration, in seconds.
    Duration(Limits),
    /// A duration, in microseconds.
    ShortDuration(Limits),
    /// A duration in whole seconds.
    WholeSeconds(Limits),
    /// Bits a second.
    Rate(Limits),
    /// A number of bytes, which may have a unit.
    Bytes(Limits),
    /// Percent from the first to the second.
    Percent(f64, f64),
    /// A number whose unit the plan declares elsewhere.
    AnyNumber,
    /// One value of this kind, a list of them, or `{ from, to, step }`.
    Sweep(&'static Kind),
    /// One of the words of a [`Choice`](crate::plan::model::choice::Choice).
    Word(fn() -> Vec<Word>),
    /// One of some words, each with its text.
    Words(&'static [(&'static str, &'static str)]),
    Map(&'static Mapping),
    /// A mapping of names to values of one kind.
    Names(Form, &'static Kind),
    /// A list with at least one item.
    List(&'static List),
    /// A value of any of these kinds.
    Either(&'static [Kind]),
    /// A mapping of metrics to bounds.
    Bounds,
    /// A part of Kubernetes' pod template.
    PodTemplate,
    /// Fields of one of Kubernetes' types.
    Fields,
    /// A text, number or boolean, as it is written.
    Scalar,
}

/// A list of values.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub item: Kind,
    /// How one is written, with what is said of it: "`- my-registry`".
    pub example: &'static str,
    /// Whether no two items are equal.
    pub is_unique: bool,
}

/// A DNS label that names something new.
#[derive(Clone, Copy, Debug)]
pub struct NewName {
    /// In characters.
    pub longest: usize,
    /// Names that something else has.
    pub reserved: fn() -> Vec<&'static str>,
}

/// What a text looks like.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Any,
    /// `a` to `z`, `0` to `9` and `-`, of at most so many characters.
    DnsLabel(usize),
    NewName(NewName),
    /// A label of `result.csv`, of at most so many characters.
    Label(usize),
    /// One line that messages repeat, of at most so many characters.
    Sentence(usize),
    /// The name of a Debian package, of at most so many characters.
    Package(usize),
    /// What matches a regular expression.
    Pattern(&'static str),
    /// What passes a check of Kubernetes' names.
    Checked(Check),
}

/// The least and the largest value, and what they count; empty for a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub least: u64,
    pub most: u64,
    pub unit: &'static str,
}

/// A DNS label has no more characters.
pub const LONGEST_NAME: usize = 63;
/// A label of `result.csv` has no more characters.
pub const LONGEST_LABEL: usize = 100;
/// The rates that tools and links take.
pub const BIT_RATE: Limits = limits(1_000, 1_000_000_000_000, "bit/s");

/// Nothing that a mapping has to have.
pub const MAPPING: Mapping = Mapping {
    name: "",
    what: "",
    text: "",
    keys: &[],
    one_of: || &[],
    may_be_empty: false,
    hints: &[],
};

/// Numbers from `least` to `most` of `unit`.
pub const fn limits(least: u64, most: u64, unit: &'static str) -> Limits {
    Limits { least, most, unit }
}

/// A number of seconds as people write it: in hours where they are whole.
pub fn seconds_text(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600) {
        (hours @ 1.., 0) => format!("{hours}h"),
        _ => format!("{seconds}s"),
    }
}

/// What to write instead of some keys.
pub const fn hint(keys: &'static [&'static str], help: &'static str) -> Hint {
    Hint { keys, help }
}

/// A key that may be left out and has no default.
pub const fn key(name: &'static str, kind: Kind, text: &'static str) -> Key {
    Key {
        name,
        kind,
        presence: Presence::Optional,
        most: None,
        text,
    }
}

impl Key {
    /// The same key, which has to be there.
    pub const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    /// The same key with at most so many entries; `help` says what to do where there are more.
    pub const fn at_most(mut self, entries: usize, help: &'static str) -> Self {
        self.most = Some(Most { entries, help });
        self
    }

    /// The same key with a default.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.presence = Presence::Default(default);
        self
    }
}

impl Mapping {
    /// All keys; those of `one_of` come last.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        let shared = self.keys.iter().copied().flatten();
        shared.chain((self.one_of)())
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.all_keys().find(|key| key.name == name)
    }

    /// What to write instead of a key that it does not have.
    pub fn hint(&self, key: &str) -> Option<String> {
        let hint = self.hints.iter().find(|hint| hint.keys.contains(&key))?;
        Some(hint.help.replace("{}", &format!("`{key}`")))
    }
}

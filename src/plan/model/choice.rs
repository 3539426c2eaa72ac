//! Values that plans write as one of some words.

use serde::Serialize;

/// Values that plans write as words: the words as which they are serialised.
pub trait Choice: Copy + Serialize + 'static {
    /// All values, each with what it means in a sentence; empty where the word says it.
    const ALL: &'static [(Self, &'static str)];

    /// Other spellings of a value, which are accepted too.
    fn also(self) -> &'static [&'static str] {
        &[]
    }
}

/// A word and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "the word itself has no better name"
)]
pub struct Word {
    pub word: String,
    pub text: &'static str,
    /// Other spellings.
    pub also: &'static [&'static str],
}

/// The words of a choice, in the order of its values.
pub fn words<T: Choice>() -> Vec<Word> {
    let word = |(value, text): &(T, &'static str)| Word {
        word: word(value),
        text,
        also: value.also(),
    };
    T::ALL.iter().map(word).collect()
}

/// The word of a value.
pub fn word<T: Choice>(value: &T) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

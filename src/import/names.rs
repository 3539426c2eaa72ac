//! Names of plans, tests and paths from the texts of a source.

use std::collections::{HashMap, HashSet};

/// Plans take names up to this length, less the room for a number.
const LONGEST_NAME: usize = 56;
/// Plans take labels up to this length (`plan/describe/key.rs`).
const LONGEST_LABEL: usize = 100;

/// Names that a plan takes, one for each text, e.g. `direct-tcp` for `direct_TCP`.
#[derive(Debug, Default)]
pub struct Names {
    by_text: HashMap<String, String>,
    /// Two texts do not share one.
    taken: HashSet<String>,
}

impl Names {
    /// The name of a text: always the same one.
    pub fn name(&mut self, text: &str) -> String {
        if let Some(name) = self.by_text.get(text) {
            return name.clone();
        }
        let wanted = dns_label(text);
        let numbered = (2_u32..).map(|number| format!("{wanted}-{number}"));
        let free = std::iter::once(wanted.clone())
            .chain(numbered)
            .find(|name| !self.taken.contains(name))
            .unwrap_or_default();
        self.taken.insert(free.clone());
        self.by_text.insert(text.to_owned(), free.clone());
        free
    }
}

/// The nearest DNS label; `unnamed` where nothing is left of the text.
pub fn dns_label(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut label = words.join("-");
    label.truncate(LONGEST_NAME);
    let label = label.trim_end_matches('-');
    if label.is_empty() {
        "unnamed".to_owned()
    } else {
        label.to_owned()
    }
}

/// The text as a label of a plan: one line without separators of `result.csv`.
pub fn label(text: &str) -> String {
    let is_separator = |c: char| c.is_control() || matches!(c, ',' | ';');
    let label: String = text.chars().take(LONGEST_LABEL).collect();
    let label = label.replace(is_separator, " ");
    match label.trim() {
        "" => "unnamed".to_owned(),
        label => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_near_their_texts() {
        let named = ["dts", "Direct_TCP single", "--", "北京", "a..b/"].map(dns_label);
        assert_eq!(
            named,
            ["dts", "direct-tcp-single", "unnamed", "unnamed", "a-b"]
        );
    }

    proptest! {
        #[test]
        fn each_text_has_a_name_of_its_own(texts in prop::collection::hash_set("[aA_-]{0,3}|\\PC{0,80}", 0..20)) {
            let mut names = Names::default();
            let named: HashSet<String> = texts.iter().map(|text| names.name(text)).collect();
            prop_assert_eq!(named.len(), texts.len());
            for (text, name) in texts.iter().map(|text| (text, names.name(text))) {
                prop_assert!(named.contains(&name), "{}", text);
                prop_assert!(name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_alphanumeric()));
            }
        }
    }
}

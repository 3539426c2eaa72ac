//! Names: whether they can be one, are there once, and are there at all.

use std::collections::HashMap;

use super::decoder::{At, Decoder};
use crate::diag::{Place, Problem, did_you_mean, quote, some_of};
use crate::plan::text::tree::NodeId;

impl<'t> Decoder<'t> {
    /// Notes equal names at their second place.
    pub fn unique<'n>(&self, what: &str, names: impl IntoIterator<Item = At<&'n str>>) {
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for At { value, place } in names {
            let what = format!("two {what} are named {}", quote(value));
            let problem = Problem::new(place, what);
            match seen.get(value) {
                Some(first) if *first == place => self.report(
                    problem
                        .label("an alias repeats this name")
                        .help("leave the name out here, or write the second one out"),
                ),
                Some(first) => self.report(
                    problem
                        .label("again here")
                        .related(*first, "first here")
                        .help("give each a name of its own"),
                ),
                None => drop(seen.insert(value, place)),
            }
        }
    }

    /// A name that something else in the plan has to have.
    pub fn reference(&self, id: NodeId, what: &str, known: &[&str]) -> Option<At<&'t str>> {
        let name = self.text(id)?;
        if known.contains(&name.value) {
            return Some(name);
        }
        self.unknown_name(what, name, known);
        None
    }

    /// Notes a name that nothing in the plan has.
    pub fn unknown_name(&self, what: &str, name: At<&str>, known: &[&str]) {
        let problem = Problem::new(
            name.place,
            format!("there is no {what} named {}", quote(name.value)),
        );
        self.report(match did_you_mean(name.value, known.iter().copied()) {
            Some(word) => problem.label(format!("did you mean `{word}`?")),
            None if known.is_empty() => problem,
            None => problem.help(format!(
                "there {} {}",
                if known.len() == 1 { "is" } else { "are" },
                some_of(known)
            )),
        });
    }

    /// A name that becomes a part of the names of Kubernetes objects. Given also when it cannot:
    /// what refers to it is right about that.
    pub fn dns_label(&self, name: At<&'t str>, longest: usize) -> At<&'t str> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let problem = if name.value.is_empty() {
            Problem::new(name.place, "a name cannot be empty")
        } else if name.value.len() > longest {
            Problem::new(name.place, "the name is too long")
                .label(format!("{longest} characters at most"))
        } else if !name.value.chars().all(|c| letter(c) || c == '-')
            || !name.value.starts_with(letter)
            || !name.value.ends_with(letter)
        {
            let what = format!("{} is not a DNS label", quote(name.value));
            let problem = Problem::new(name.place, what);
            match as_dns_label(name.value) {
                Some(better) => problem.label(format!("write `{better}`")),
                None => problem,
            }
        } else {
            return name;
        };
        self.report(problem.help(
            "names become parts of Kubernetes names: `a` to `z`, `0` to `9` and `-`, starting and \
             ending with a letter or digit",
        ));
        name
    }
}

/// The nearest text that is a DNS label.
fn as_dns_label(name: &str) -> Option<String> {
    // Of other scripts too little would be left.
    if name.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) {
        return None;
    }
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let label = words.join("-");
    (!label.is_empty()).then_some(label)
}

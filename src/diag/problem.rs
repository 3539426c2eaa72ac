//! One problem: what is wrong, where, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::printable;
use super::source::Place;

/// What is wrong, where, and what to do about it.
///
/// Displays as `what; help`, without the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where it is, for a problem in a text.
    pub place: Option<Place>,
    /// The sentence that comes first, without a final period.
    pub what: String,
    /// A few words below the place; may be empty.
    pub label: String,
    /// Another place that is involved, and its label.
    pub related: Option<(Place, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place in a text.
    pub fn new(place: Place, what: impl Into<String>) -> Problem {
        Problem::without_place(what).at(place)
    }

    /// A problem of something else than a text: a machine, a cluster, a value.
    pub fn without_place(what: impl Into<String>) -> Problem {
        Problem {
            place: None,
            what: what.into(),
            label: String::new(),
            related: None,
            help: None,
        }
    }

    /// The same at a place, e.g. that of the value that is wrong.
    #[must_use]
    pub fn at(mut self, place: Place) -> Problem {
        self.place = Some(place);
        self
    }

    /// Sets the words below the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    /// Sets what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that is involved.
    #[must_use]
    pub fn related(mut self, place: Place, label: impl Into<String>) -> Problem {
        self.related = Some((place, label.into()));
        self
    }

    /// The same with texts that are safe to show: some of them quote other texts.
    pub(super) fn neutral(mut self) -> Problem {
        let related = self.related.iter_mut().map(|(_, label)| label);
        let texts = [&mut self.what, &mut self.label];
        for text in texts.into_iter().chain(&mut self.help).chain(related) {
            if !printable::is_safe(text) {
                *text = printable::lines(text).into_owned();
            }
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_is_wrong_and_what_to_do() {
        let problem = Problem::without_place("iperf3 3.9 is too old");
        assert_eq!(problem.to_string(), "iperf3 3.9 is too old");
        let problem = problem.help("install 3.12 or later");
        assert_eq!(
            problem.to_string(),
            "iperf3 3.9 is too old; install 3.12 or later"
        );
    }
}

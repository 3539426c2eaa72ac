//! A metric of a test: one that netplan knows, or a declared tool's own.

use std::borrow::Cow;
use std::fmt;

use super::{KnownMetric, METRICS, Unit};

/// Something that a tool measures: its name in plans, its name in the journal, and its unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Metric {
    word: Cow<'static, str>,
    name: Cow<'static, str>,
    unit: Unit,
}

impl From<&'static KnownMetric> for Metric {
    fn from(known: &'static KnownMetric) -> Self {
        Metric {
            word: Cow::Borrowed(known.word.unwrap_or(known.name)),
            name: Cow::Borrowed(known.name),
            unit: known.unit,
        }
    }
}

impl Metric {
    /// The metrics that plans can name, in the order of the catalogue.
    pub fn all_known() -> impl Iterator<Item = Metric> {
        let named = METRICS.iter().filter(|known| known.word.is_some());
        named.map(Metric::from)
    }

    /// The metric that plans write so, of those that netplan knows.
    #[must_use]
    pub fn known(word: &str) -> Option<Metric> {
        let known = METRICS.iter().find(|known| known.word == Some(word));
        known.map(Metric::from)
    }

    /// The metric that journals write so, of those that netplan knows.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Metric> {
        KnownMetric::from_name(name).map(Metric::from)
    }

    /// A metric of a declared tool: the known metric of this word, if the unit is the same. In the
    /// journal each carries its unit: `stall.p99` in microseconds is `stall_us.p99`.
    #[must_use]
    pub fn declared(word: &str, unit: Unit) -> Metric {
        if let Some(known) = Metric::known(word).filter(|known| known.unit == unit) {
            return known;
        }
        let (head, rest) = word.split_at(word.find('.').unwrap_or(word.len()));
        let suffix = unit.suffix();
        let head = head.strip_suffix(suffix).unwrap_or(head);
        Metric {
            word: Cow::Owned(word.to_owned()),
            name: Cow::Owned(format!("{head}{suffix}{rest}")),
            unit,
        }
    }

    /// As plans write it: `latency.p99`.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// As the journal writes it: `latency_us.p99`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// What it means, in a sentence; empty for a declared tool's own.
    #[must_use]
    pub fn text(&self) -> &'static str {
        let known = KnownMetric::from_name(&self.name).filter(|known| known.unit == self.unit);
        known.map_or("", |known| known.text)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

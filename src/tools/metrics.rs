//! Measured figures, by name.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Figures by metric name; every value is finite.
///
/// A run has few sets of names and many samples, which can share one (see [`MetricNames`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Sorted, each once.
    names: Arc<Vec<String>>,
    /// A value for each name, in the same order.
    values: Vec<f64>,
    /// Left out, and not written down with the figures.
    rejected: Vec<Rejected>,
}

/// A figure that a tool reports and that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The metric's name.
    pub metric: String,
    /// The value, as the tool or Rust writes it.
    pub value: String,
    /// Why it cannot be, as a clause: `a latency is above 0`.
    pub why: String,
}

impl Metrics {
    /// Sets a figure; a value that is not finite is left out, since it is none.
    pub fn set(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        match self.position(name) {
            Ok(at) => {
                if let Some(there) = self.values.get_mut(at) {
                    *there = value;
                }
            }
            Err(at) => {
                Arc::make_mut(&mut self.names).insert(at, name.to_owned());
                self.values.insert(at, value);
            }
        }
    }

    /// Leaves a metric out, with the value that cannot be and the reason.
    pub fn reject(&mut self, metric: &str, value: &dyn std::fmt::Display, why: &str) {
        if let Ok(at) = self.position(metric) {
            Arc::make_mut(&mut self.names).remove(at);
            self.values.remove(at);
        }
        self.rejected.push(Rejected {
            metric: metric.to_owned(),
            value: value.to_string(),
            why: why.to_owned(),
        });
    }

    /// What was rejected so far. Leaves none.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(self.position(name).ok()?).copied()
    }

    /// The figures, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.values.iter().copied())
    }

    /// Where the name is, or where to insert it.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.names
            .binary_search_by(|other| other.as_str().cmp(name))
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

thread_local! {
    /// The names of the metrics that this thread has read last: the next ones mostly have the same.
    static LAST_NAMES: RefCell<Arc<Vec<String>>> = RefCell::default();
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metrics, D::Error> {
        deserializer.deserialize_map(MetricsVisitor)
    }
}

struct MetricsVisitor;

impl<'de> Visitor<'de> for MetricsVisitor {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("figures by metric name")
    }

    /// Copies no name as long as they are those that were read last, in their order: a journal has very many.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let last = LAST_NAMES.with_borrow(Arc::clone);
        let mut values = Vec::with_capacity(last.len());
        let mut other = None;
        while let Some(name) = map.next_key_seed(UnlessExpected(last.get(values.len())))? {
            let value: f64 = map.next_value()?;
            match name {
                None if value.is_finite() => values.push(value),
                name => {
                    let expected = || last.get(values.len()).cloned().unwrap_or_default();
                    other = Some((name.unwrap_or_else(expected), value));
                    break;
                }
            }
        }
        if other.is_none() && values.len() == last.len() {
            return Ok(Metrics {
                names: last,
                values,
                rejected: Vec::new(),
            });
        }
        let names = last.iter().take(values.len()).cloned().collect();
        let mut metrics = Metrics {
            names: Arc::new(names),
            values,
            rejected: Vec::new(),
        };
        if let Some((name, value)) = other {
            metrics.set(&name, value);
        }
        while let Some((name, value)) = map.next_entry::<String, f64>()? {
            metrics.set(&name, value);
        }
        LAST_NAMES.set(Arc::clone(&metrics.names));
        Ok(metrics)
    }
}

/// Reads a name: `None` if it is the expected one.
struct UnlessExpected<'a>(Option<&'a String>);

impl<'de> DeserializeSeed<'de> for UnlessExpected<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for UnlessExpected<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a metric")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let is_expected = self.0.is_some_and(|expected| expected == name);
        Ok((!is_expected).then(|| name.to_owned()))
    }
}

/// The sets of names that metrics share.
#[derive(Debug, Default)]
pub struct MetricNames {
    all: HashSet<Arc<Vec<String>>>,
    last: Arc<Vec<String>>,
}

impl MetricNames {
    /// Lets the metrics share their names with earlier ones that have the same.
    pub fn share(&mut self, metrics: &mut Metrics) {
        metrics.values.shrink_to_fit();
        if Arc::ptr_eq(&metrics.names, &self.last) {
            return;
        }
        if let Some(names) = self.all.get(&metrics.names) {
            metrics.names = Arc::clone(names);
        } else {
            self.all.insert(Arc::clone(&metrics.names));
        }
        self.last = Arc::clone(&metrics.names);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn metrics_are_a_sorted_map(entries in prop::collection::vec(("[a-d]{1,2}", -9.0..9.0f64), 0..20)) {
            let model: BTreeMap<String, f64> = entries.iter().cloned().collect();
            let mut metrics = Metrics::default();
            let mut names = MetricNames::default();
            for (name, value) in &entries {
                metrics.set(name, *value);
                // A change to one that shares its names leaves the others alone.
                let before = metrics.clone();
                names.share(&mut metrics);
                prop_assert_eq!(&metrics, &before);
            }
            metrics.set("none", f64::NAN);
            let seen: Vec<(&str, f64)> = metrics.iter().collect();
            let expected: Vec<(&str, f64)> = model.iter().map(|(k, v)| (k.as_str(), *v)).collect();
            prop_assert_eq!(seen, expected);
            prop_assert!(model.iter().all(|(name, value)| metrics.get(name) == Some(*value)));
            let json = serde_json::to_string(&metrics).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&model).unwrap());
            prop_assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
        }

        #[test]
        fn what_was_read_before_changes_nothing(
            objects in prop::collection::vec(prop::collection::vec(("[a-c]{1,2}", -9..9i32), 0..5), 1..9)
        ) {
            for entries in objects {
                let members = entries.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                let json = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
                let mut expected = Metrics::default();
                for (name, value) in &entries {
                    expected.set(name, f64::from(*value));
                }
                // The second time all names are known.
                for _ in 0..2 {
                    prop_assert_eq!(&serde_json::from_str::<Metrics>(&json).unwrap(), &expected);
                }
            }
        }
    }
}

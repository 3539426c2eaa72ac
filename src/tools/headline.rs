//! The figure that says most of a sample, as lines about progress have it.

use std::collections::HashMap;

use super::failure::Failure;
use super::metrics::Metrics;
use crate::catalog::{Metric, Unit, name};
use crate::plan::{Plan, Test};
use crate::schedule::CellId;

/// What to say first of the samples of each test, and of those that failed.
#[derive(Debug, Default)]
pub struct Headlines(HashMap<String, TestHeadline>);

/// A test's tool by its name, and the metric to say first.
#[derive(Debug)]
struct TestHeadline {
    tool: String,
    metric: Option<Metric>,
    /// Its samples are probes at different rates, whose mean says nothing.
    searches: bool,
}

impl Headlines {
    /// The headlines of a plan's tests.
    #[must_use]
    pub fn for_plan(plan: &Plan) -> Self {
        let headline = |test: &Test| {
            let headline = test.tool.headline();
            let mut metrics = test.tool.measures().into_iter();
            let of_test = TestHeadline {
                metric: metrics.find(|metric| metric.name() == headline),
                tool: test.tool.name().to_owned(),
                searches: test.find.is_some(),
            };
            (test.name.clone(), of_test)
        };
        Self(plan.tests.iter().map(headline).collect())
    }

    /// The cause of a failure in this test, and the text about it.
    #[must_use]
    pub fn failure(&self, test: &str, failure: &Failure) -> String {
        let tool = self.0.get(test).map(|test| &*test.tool);
        failure.sentence(tool.unwrap_or("the tool"))
    }

    /// The headline of a sample of this test: `950.0 Mbit/s`, `1234 transactions/s`, `rtt 217.4 µs`.
    /// Empty when there is none.
    #[must_use]
    pub fn say(&self, test: &str, metrics: &Metrics) -> String {
        let value = self.value(test, metrics);
        value.map_or_else(String::new, |value| self.figure(test, value))
    }

    /// The value of the headline, in the metric's unit.
    #[must_use]
    pub fn value(&self, test: &str, metrics: &Metrics) -> Option<f64> {
        metrics.get(self.0.get(test)?.metric.as_ref()?.name())
    }

    fn figure(&self, test: &str, value: f64) -> String {
        let Some(metric) = self.0.get(test).and_then(|test| test.metric.as_ref()) else {
            return String::new();
        };
        let (figures, unit) = figures(metric.unit(), &[value]);
        let figure = figures.concat();
        match metric.name() {
            name::THROUGHPUT_BPS => format!("{figure} {unit}"),
            name::TRANSACTIONS_PER_S => format!("{figure} transactions/s"),
            _ => {
                let line = format!("{} {figure} {unit}", metric.word());
                line.trim_end().to_owned()
            }
        }
    }
}

/// The headlines of the cells under way, over their samples so far.
#[derive(Debug, Default)]
pub struct CellMeans {
    headlines: Headlines,
    cells: HashMap<CellId, SoFar>,
}

#[derive(Clone, Copy, Debug, Default)]
struct SoFar {
    samples: u32,
    sum: f64,
    last: f64,
}

impl CellMeans {
    /// No means yet, of a plan's cells.
    #[must_use]
    pub fn for_plan(plan: &Plan) -> Self {
        Self {
            headlines: Headlines::for_plan(plan),
            cells: HashMap::new(),
        }
    }

    /// What to say of each test.
    #[must_use]
    pub fn headlines(&self) -> &Headlines {
        &self.headlines
    }

    /// Adds a sample of a cell.
    pub fn add(&mut self, cell: &CellId, metrics: &Metrics) {
        if let Some(value) = self.headlines.value(cell.test(), metrics) {
            let so_far = self.cells.entry(cell.clone()).or_default();
            so_far.samples += 1;
            so_far.sum += value;
            so_far.last = value;
        }
    }

    /// The mean so far: `950.0 Mbit/s`, `950.0 Mbit/s (mean of 3 samples)`, in a search the last
    /// probe. `note` goes into the parentheses. Empty when there is no figure.
    #[must_use]
    pub fn say(&self, cell: &CellId, note: &str) -> String {
        let Some(so_far) = self.cells.get(cell) else {
            return String::new();
        };
        let test = cell.test();
        let searches = self.headlines.0.get(test).is_some_and(|of| of.searches);
        let (value, basis) = match so_far.samples {
            1 => (so_far.sum, String::new()),
            probes if searches => (so_far.last, format!("last of {probes} probes")),
            samples => (
                so_far.sum / f64::from(samples),
                format!("mean of {samples} samples"),
            ),
        };
        let figure = self.headlines.figure(test, value);
        let notes = [basis.as_str(), note];
        let notes: Vec<&str> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        if notes.is_empty() {
            figure
        } else {
            format!("{figure} ({})", notes.join(", "))
        }
    }

    /// Forgets a cell that has ended.
    pub fn end(&mut self, cell: &CellId) {
        self.cells.remove(cell);
    }
}

/// Figures of a unit with the same divisor and four digits of the first one, as `8.703` and `8.512`
/// with `Gbit/s`; none behind the point when all are whole.
#[must_use]
pub fn figures(unit: Unit, values: &[f64]) -> (Vec<String>, &'static str) {
    let first = values.first().copied().unwrap_or(0.0).abs();
    let (divisor, word) = match unit {
        Unit::BitsPerSecond if first >= 1e9 => (1e9, "Gbit/s"),
        Unit::BitsPerSecond if first >= 1e6 => (1e6, "Mbit/s"),
        Unit::BitsPerSecond => (1e3, "kbit/s"),
        Unit::Microseconds if first >= 1e6 => (1e6, "s"),
        Unit::Microseconds if first >= 1e4 => (1e3, "ms"),
        _ => (1.0, unit.symbol()),
    };
    let whole = values.iter().all(|value| (value / divisor).fract() == 0.0);
    let decimals = match first / divisor {
        _ if whole => 0,
        v if v < 9.9995 => 3,
        v if v < 99.995 => 2,
        v if v < 999.95 => 1,
        _ => 0,
    };
    let write = |value: &f64| format!("{:.decimals$}", value / divisor);
    (values.iter().map(write).collect(), word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;

    #[test]
    fn each_test_has_a_headline_for_people() {
        let text = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
tools:
  own:
    client: { command: [own] }
    metrics: { dropped: { json: /a, unit: count }, rtt: { json: /b, unit: us } }
    headline: rtt
tests: [{ name: rate, iperf3: }, { name: rr, netperf: { test: TCP_RR } }, { name: own, own: }]
";
        let headlines = Headlines::for_plan(&plan::load(Source::new("p", text), &[]).unwrap());
        let mut metrics = Metrics::default();
        assert_eq!(headlines.say("rate", &metrics), "");
        metrics.set(name::TRANSACTIONS_PER_S, 1234.5);
        metrics.set(name::THROUGHPUT_BPS, 9.5e8);
        metrics.set(name::RTT_US, 217.41);
        metrics.set("dropped", 1.0);
        assert_eq!(headlines.say("rate", &metrics), "950 Mbit/s");
        assert_eq!(headlines.say("rr", &metrics), "1234 transactions/s");
        assert_eq!(headlines.say("own", &metrics), "rtt 217.4 µs");
        assert_eq!(headlines.say("other", &metrics), "");
        metrics.set(name::THROUGHPUT_BPS, 1.254e9);
        assert_eq!(headlines.say("rate", &metrics), "1.254 Gbit/s");
    }

    #[test]
    fn a_cell_shows_its_mean_and_a_search_its_last_probe() {
        let text = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
tests:
  - { name: rate, iperf3: }
  - name: search
    iperf3: { protocol: udp }
    find: { rate: max, from: 1 Mbit/s, to: 10 Gbit/s, within: 5%, while: 'lost_percent <= 0.1' }
";
        let mut means = CellMeans::for_plan(&plan::load(Source::new("p", text), &[]).unwrap());
        let [rate, search] = ["rate/a", "search/a"].map(|id| CellId(id.to_owned()));
        assert_eq!(means.say(&rate, "note"), "");
        for (value, said) in [
            (9e8, "900 Mbit/s"),
            (9.5e8, "925 Mbit/s (mean of 2 samples)"),
            (1e9, "950 Mbit/s (mean of 3 samples)"),
        ] {
            let mut metrics = Metrics::default();
            metrics.set(name::THROUGHPUT_BPS, value);
            means.add(&rate, &metrics);
            means.add(&search, &metrics);
            means.add(&search, &Metrics::default());
            assert_eq!(means.say(&rate, ""), said);
        }
        assert_eq!(
            means.say(&rate, "bound not reached"),
            "950 Mbit/s (mean of 3 samples, bound not reached)"
        );
        assert_eq!(means.say(&search, ""), "1 Gbit/s (last of 3 probes)");
        means.end(&rate);
        assert_eq!(means.say(&rate, ""), "");
    }
}

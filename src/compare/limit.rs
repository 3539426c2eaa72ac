//! `--fail-on`: how much worse NEW may be, and for which tests, paths and metrics.

use std::collections::BTreeSet;

use thiserror::Error;

use super::sides::side::Side;
use crate::report::compared_metric as metric;

/// How much worse NEW may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The test, path or metric that it is for, or several of them; none for all metrics that decide.
    pub names: Vec<String>,
    /// The change for the worse, as a share; of loss in percentage points divided by 100.
    pub share: f64,
}

/// Why a text is not a limit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` is not a limit: {why}; write `5%`, or `NAME=5%` with the name of a metric, a path, a test, or several joined by `/`, e.g. `remote-pod/latency.p99=10%`"
)]
pub struct LimitError {
    text: String,
    why: &'static str,
}

impl Limit {
    /// Reads `5%` or `NAME=5%`.
    ///
    /// # Errors
    /// When the text is neither, or the share is not in 0 to 100 %.
    pub fn parse(text: &str) -> Result<Limit, LimitError> {
        let error = |why| LimitError {
            text: text.to_owned(),
            why,
        };
        let (names, value) = match text.rsplit_once('=') {
            Some((names, value)) => (Some(names), value),
            None => (None, text),
        };
        let names: Vec<String> = names
            .into_iter()
            .flat_map(|names| names.split('/'))
            .map(|name| name.trim().to_owned())
            .collect();
        if names.iter().any(String::is_empty) {
            return Err(error("a name is empty"));
        }
        let number = value.trim().strip_suffix('%').unwrap_or(value).trim();
        let percent: f64 = number
            .parse()
            .map_err(|_| error("the percentage is not a number"))?;
        if !(0.0..100.0).contains(&percent) {
            return Err(error("the percentage is not at least 0 and below 100"));
        }
        Ok(Limit {
            names,
            share: percent / 100.0,
        })
    }

    /// Whether it is for this metric of a test on a path. Without a metric among its names it is for metrics that
    /// decide only.
    #[must_use]
    pub fn is_for(&self, test: &str, path: &str, metric: &str, is_decisive: bool) -> bool {
        let word = metric::word(metric);
        let is_metric = |name: &String| *name == word;
        let fits = |name: &String| name == test || name == path || is_metric(name);
        self.names.iter().all(fits) && (is_decisive || self.names.iter().any(is_metric))
    }

    /// Whether it is for anything of these sides.
    #[must_use]
    pub fn fits_any(&self, sides: &[Side]) -> bool {
        let mut cells = sides
            .iter()
            .flat_map(|side| &side.runs)
            .flat_map(|run| run.cells.values());
        cells.any(|cell| {
            let mut metrics = cell.figures.iter().flat_map(|figures| figures.keys());
            metrics.any(|metric| self.is_for(&cell.test, &cell.path, metric, true))
        })
    }

    /// The one of several that counts: the last of those with the most names.
    #[must_use]
    pub fn for_subject<'a>(
        limits: &'a [Limit],
        test: &str,
        path: &str,
        metric: &str,
        is_decisive: bool,
    ) -> Option<&'a Limit> {
        let fitting = limits
            .iter()
            .filter(|limit| limit.is_for(test, path, metric, is_decisive));
        fitting.max_by_key(|limit| limit.names.len())
    }
}

/// What a limit can name: the tests, paths and metrics of these sides.
#[must_use]
pub fn nameable(sides: &[Side]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for run in sides.iter().flat_map(|side| &side.runs) {
        names.extend(run.tests.keys().cloned());
        for cell in run.cells.values() {
            if !names.contains(&cell.path) {
                names.insert(cell.path.clone());
            }
            let metrics = cell.figures.iter().flatten();
            names.extend(metrics.map(|(metric, _)| metric::word(metric)));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Limit {
        Limit::parse(text).unwrap()
    }

    #[test]
    fn limits_are_for_all_or_for_what_they_name() {
        assert_eq!(limit("5%"), limit("5"));
        assert_eq!(limit("2.5 %"), limit("2.5"));
        let limits = [
            limit("5%"),
            limit("latency.p99=10%"),
            limit("a/latency.p99=7%"),
        ];
        let found = |path, metric, decisive| {
            Limit::for_subject(&limits, "t", path, metric, decisive).map(|limit| limit.share)
        };
        assert_eq!(found("a", "throughput_bps", true), Some(0.05));
        assert_eq!(found("a", "latency_us.p99", true), Some(0.07));
        assert_eq!(found("b", "latency_us.p99", false), Some(0.10));
        assert_eq!(found("b", "rtt_us", false), None);
        assert_eq!(
            Limit::for_subject(&limits[1..], "t", "a", "throughput_bps", true),
            None
        );
        assert_eq!(limit("t=1%").names, ["t"]);
    }

    #[test]
    fn what_is_no_limit_says_so() {
        for text in ["", "x", "-1%", "100%", "nan", "=5%", "a//b=5%", "a=5%="] {
            assert!(Limit::parse(text).is_err(), "{text}");
        }
    }
}

//! Changes of level and drift in one series.
//!
//! The last one to five values are judged together against what the values before them predict. Older changes are
//! located by Pettitt's test. Both are searches, and their probabilities are corrected for it. A change that is
//! found splits the series: later values are compared with those since the change.

use std::ops::Range;

use super::steps::{MARGIN, is_drift, likeliest_step};
use crate::statistics::{Difference, Recent, Spread, mann_kendall, recent, theil_sen};

/// Older values are not looked at: machines and clusters do not stay the same for longer.
pub const WINDOW: usize = 60;
/// A change with fewer values after it is suspected: it may be one odd run.
pub const SETTLED_FROM: usize = MARGIN;
/// Fewer values say too little of how much values spread.
pub const LEAST_BASE: usize = 5;
/// The normal approximation of Mann and Kendall's test is good from here on.
const LEAST_TREND: usize = 10;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// Position of the first value after it.
    pub at: usize,
    /// How many values are on the new level, up to the next change or the end.
    pub after: usize,
    /// The mean of these less the mean of the values back to the change before.
    pub difference: Difference,
    /// The probability of such a change in a series without any, corrected for the search in this series alone.
    pub p: f64,
}

/// A drift since the last change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Position of the first value.
    pub from: usize,
    /// The slope by Theil and Sen over the whole length.
    pub total: f64,
    /// Mann and Kendall's probability of such a trend where there is none.
    pub p: f64,
}

/// What was found in a series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moves {
    /// Likely changes, in the order of time.
    pub moves: Vec<Move>,
    /// The trend of the values since the last change, likely or not. None of fewer than ten values.
    pub drift: Option<Drift>,
    /// Probabilities of what was looked for and is not likely: they count in a correction over many series.
    pub others: Vec<f64>,
}

impl Moves {
    /// Searches the last [`WINDOW`] values. A change is likely if its probability without one is at most `level`.
    /// `boundaries` are positions, in ascending order, at which a new level is known to begin: values on their two
    /// sides are not compared.
    #[must_use]
    pub fn find(values: &[f64], boundaries: &[usize], level: f64) -> Moves {
        let mut search = Search {
            values,
            level,
            changes: Vec::new(),
            found: Moves::default(),
        };
        let window = values.len().saturating_sub(WINDOW);
        let inside = |at: &usize| window < *at && *at < values.len();
        let starts = [window]
            .into_iter()
            .chain(boundaries.iter().copied().filter(inside));
        let starts: Vec<usize> = starts.collect();
        for (at, start) in starts.iter().enumerate() {
            let part = match starts.get(at + 1) {
                Some(end) => search.older(*start..*end),
                None => search.newest(*start..values.len()),
            };
            search.levels(part);
        }
        search.found
    }
}

struct Search<'a> {
    values: &'a [f64],
    level: f64,
    /// Positions and probabilities of the changes in the part that is searched.
    changes: Vec<(usize, f64)>,
    found: Moves,
}

impl Search<'_> {
    /// The part up to the newest value: its last values, then older changes, then drift. Returns the part.
    fn newest(&mut self, part: Range<usize>) -> Range<usize> {
        let Range { mut start, end } = part;
        if self.is_drift(part.clone()) {
            self.trend(part.clone());
            return part;
        }
        // A change that is clearer than that of the last values comes first, so that these are compared with values
        // of one level.
        while let Some((at, p)) = self.change(start..end) {
            let last = self.recent(start..end).map_or(1.0, |last| last.p);
            if p > self.level || last <= p {
                break;
            }
            self.changes.push((at, p));
            self.older(start..at);
            start = at;
        }
        let Some(last) = self.recent(start..end) else {
            self.trend(start..end);
            return part;
        };
        if last.p > self.level {
            self.found.others.push(last.p);
            self.trend(start..end);
            return part;
        }
        // Without the last values older changes are clearer. Then the last values are compared again.
        self.older(start..end - last.count);
        let since = self
            .changes
            .iter()
            .map(|(at, _)| *at)
            .fold(start, usize::max);
        let again = self
            .recent(since..end)
            .filter(|again| again.p <= self.level);
        let last = again.unwrap_or(last);
        self.changes.push((end - last.count, last.p));
        part
    }

    /// A part whose end is another level: changes, by halves. Returns the part.
    fn older(&mut self, part: Range<usize>) -> Range<usize> {
        match self.change(part.clone()) {
            Some((at, p)) if p <= self.level => {
                self.changes.push((at, p));
                self.older(part.start..at);
                self.older(at..part.end);
            }
            Some((_, p)) => self.found.others.push(p),
            None => {}
        }
        part
    }

    fn change(&self, part: Range<usize>) -> Option<(usize, f64)> {
        let (at, p) = likeliest_step(self.values.get(part.clone())?)?;
        Some((part.start + at, p))
    }

    fn recent(&self, part: Range<usize>) -> Option<Recent> {
        recent(self.values.get(part)?, SETTLED_FROM, LEAST_BASE)
    }

    fn is_drift(&self, part: Range<usize>) -> bool {
        is_drift(self.values.get(part).unwrap_or_default(), self.level)
    }

    fn trend(&mut self, part: Range<usize>) {
        let from = part.start;
        let values = self.values.get(part).unwrap_or_default();
        if values.len() < LEAST_TREND {
            return;
        }
        let found = mann_kendall(values).zip(theil_sen(values));
        self.found.drift = found.map(|(trend, slope)| Drift {
            from,
            total: slope * (values.len() - 1) as f64,
            p: trend.p,
        });
    }

    /// Compares the levels of a part, from change to change.
    fn levels(&mut self, part: Range<usize>) {
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_by_key(|(at, _)| *at);
        let mut before = part.start;
        for (position, (at, p)) in changes.iter().enumerate() {
            let next = changes
                .get(position + 1)
                .map_or(part.end, |(next, _)| *next);
            let sides = (self.values.get(before..*at), self.values.get(*at..next));
            let (old, new) = (sides.0.unwrap_or_default(), sides.1.unwrap_or_default());
            let spread = Spread::from_values(old);
            let difference = spread.and_then(|spread| Difference::with_spread(old, new, spread));
            self.found.moves.extend(difference.map(|difference| Move {
                at: *at,
                after: new.len(),
                difference,
                p: *p,
            }));
            before = *at;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values that spread a little, and never the same way twice in a row.
    fn level(count: usize, level: f64) -> impl Iterator<Item = f64> {
        (0..count).map(move |at| level + (at * 7 % 11) as f64 * 0.1)
    }

    fn found_at(found: &Moves) -> Vec<(usize, usize)> {
        found.moves.iter().map(|it| (it.at, it.after)).collect()
    }

    #[test]
    fn steps_are_found_wherever_they_are() {
        for after in 1..=40 {
            let values: Vec<f64> = level(45, 10.0).chain(level(after, 14.0)).collect();
            let found = Moves::find(&values, &[], 0.01);
            let [it] = found.moves[..] else {
                panic!("{after}: {found:?}");
            };
            // The lowest of the higher values can count as one of the lower ones.
            assert!(
                it.at.abs_diff(45) <= 1 && it.at + it.after == values.len(),
                "{after}: {it:?}"
            );
        }
    }

    #[test]
    fn several_steps_split_the_series() {
        let values = level(15, 10.0)
            .chain(level(15, 13.0))
            .chain(level(15, 11.0))
            .chain(level(3, 14.0));
        let values: Vec<f64> = values.collect();
        let found = Moves::find(&values, &[], 0.01);
        assert_eq!(found_at(&found), [(15, 15), (30, 15), (45, 3)]);
        assert!(
            (found.moves[1].difference.value + 2.0).abs() < 0.2,
            "{found:?}"
        );
        // What is known is not found.
        let found = Moves::find(&values, &[15, 45], 0.01);
        assert_eq!(found_at(&found), [(30, 15)]);
    }

    #[test]
    fn a_step_that_is_undone_is_found() {
        let values: Vec<f64> = level(8, 10.0)
            .chain(level(8, 8.0))
            .chain(level(8, 10.0))
            .collect();
        assert_eq!(
            found_at(&Moves::find(&values, &[], 0.01)),
            [(8, 8), (16, 8)]
        );
    }

    #[test]
    fn a_drift_is_none_of_steps() {
        let values: Vec<f64> = level(40, 10.0)
            .enumerate()
            .map(|(at, it)| it + 0.1 * at as f64)
            .collect();
        let found = Moves::find(&values, &[], 0.01);
        let drift = found.drift.unwrap();
        assert_eq!((drift.from, found_at(&found)), (0, vec![]));
        assert!(
            (drift.total - 3.9).abs() < 0.4 && drift.p < 1e-9,
            "{drift:?}"
        );
        assert!(Moves::find(&values[..9], &[], 0.01).drift.is_none());
    }

    proptest! {
        #[test]
        fn any_floats_and_boundaries_are_searched(
            values in prop::collection::vec(prop_oneof![any::<f64>(), -1f64..1.0, Just(0.0)], 0..90),
            mut boundaries in prop::collection::vec(0usize..100, 0..4),
        ) {
            boundaries.sort_unstable();
            let found = Moves::find(&values, &boundaries, 0.05);
            for pair in found.moves.windows(2) {
                prop_assert!(pair[0].at < pair[1].at);
            }
            for it in &found.moves {
                prop_assert!(it.after >= 1 && it.at + it.after <= values.len());
                prop_assert!((0.0..=0.05).contains(&it.p), "{:?}", it);
            }
        }

        #[test]
        fn a_series_turned_upside_down_moves_the_other_way(
            values in prop::collection::vec(-1f64..1.0, 6..70),
            step in 0f64..5.0,
            at in 0usize..70,
        ) {
            let values: Vec<f64> = values.iter().enumerate().map(|(i, it)| it + if i >= at { step } else { 0.0 }).collect();
            let turned: Vec<f64> = values.iter().map(|it| -it).collect();
            let (one, other) = (Moves::find(&values, &[], 0.01), Moves::find(&turned, &[], 0.01));
            prop_assert_eq!(found_at(&one), found_at(&other));
        }
    }
}

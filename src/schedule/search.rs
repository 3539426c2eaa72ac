//! The search for the highest rate that keeps a condition. Pure: what is probed next follows from
//! the probes so far, so a search continues after a restart.
//!
//! Rates are told apart by their ratio, so the search halves the ratio between the highest rate that
//! is known to hold and the lowest that is known not to: each time the geometric mean of the two is
//! probed, until they lie `within` each other. At the start neither is known; the plan's `from` and
//! `to` take their places. They are probed last, and only where it matters: `to` when everything below
//! held, `from` when nothing above did. So no search floods a slow link at 100 Gbit/s only to see
//! that this is too much.
//!
//! A rate holds when as many probes hold as a cell takes samples (`repeat`; its minimum where that
//! is open). It does not hold when two probes do not: a single one may be the fault of a moment, of
//! a burst of somebody else's traffic or of a scheduler's pause, and would hide the whole upper half
//! of the range for good; so it is confirmed once before it counts. A probe that holds needs no such
//! care, since no chance lets packets through that the path cannot carry.

use serde::{Deserialize, Serialize};

use crate::plan::{Find, Test};

/// One sample of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    pub rate_bps: u64,
    /// It kept the condition.
    pub held: bool,
}

/// The highest rate that keeps the condition, to within what the plan asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Of each stream.
    pub rate_bps: u64,
    /// It is the highest that the plan allows to try; more may be possible.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_bound: bool,
}

impl Found {
    /// For people: `94.2 Mbit/s`, or `100.00 Gbit/s, the highest that may be tried`.
    #[must_use]
    pub fn to_text(self) -> String {
        let bps = self.rate_bps as f64;
        let rate = match self.rate_bps {
            1_000_000_000.. => format!("{:.2} Gbit/s", bps / 1e9),
            1_000_000.. => format!("{:.1} Mbit/s", bps / 1e6),
            _ => format!("{:.1} kbit/s", bps / 1e3),
        };
        if self.at_bound {
            format!("{rate}, the highest that may be tried")
        } else {
            rate
        }
    }
}

impl Found {
    /// A hint when the rate is only the highest that the plan allows.
    #[must_use]
    pub fn at_bound_text(self) -> Option<String> {
        self.at_bound.then(|| {
            format!(
                "{}, and more may be possible: raise the `to` of its `find`",
                self.to_text()
            )
        })
    }
}

/// What a search does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take a sample at this rate.
    Probe(u64),
    Found(Found),
    /// Even the lowest rate does not keep the condition.
    NoneHolds,
}

/// Probes that do not hold before their rate counts as too high.
const MISSES: usize = 2;

/// What to do after these probes, when a rate holds by `needed` of them.
#[must_use]
pub fn next(find: &Find, needed: u32, probes: &[Probe]) -> Step {
    let needed = needed.max(1) as usize;
    let at = |rate: u64| Verdict::from_probes(rate, needed, probes);
    let mut low = End::untried(find.from.0.min(find.to.0));
    let mut high = End::untried(find.to.0);
    while let Some(rate) = between(low.rate, high.rate, find.within.0) {
        match at(rate) {
            Verdict::Open => return Step::Probe(rate),
            Verdict::Holds => low = End::tried(rate),
            Verdict::Fails => high = End::tried(rate),
        }
    }
    if !high.tried {
        match at(high.rate) {
            Verdict::Open => return Step::Probe(high.rate),
            Verdict::Holds => {
                return Step::Found(Found {
                    rate_bps: high.rate,
                    at_bound: true,
                });
            }
            Verdict::Fails => {}
        }
    }
    let found = Step::Found(Found {
        rate_bps: low.rate,
        at_bound: false,
    });
    if low.tried {
        return found;
    }
    match at(low.rate) {
        Verdict::Open => Step::Probe(low.rate),
        Verdict::Holds => found,
        Verdict::Fails => Step::NoneHolds,
    }
}

/// Bounds on how many samples the search of a cell takes.
#[must_use]
pub fn samples(find: &Find, needed: u32) -> (u32, u32) {
    let needed = needed.max(1);
    let misses = u32::try_from(MISSES).unwrap_or(u32::MAX);
    // A way down the range halves its logarithm each time; rounding to whole bits a second may make
    // it one step longer, or one shorter.
    let range = (find.to.0.max(1) as f64 / find.from.0.max(1) as f64).ln();
    let within = (find.within.0 / 100.0).ln_1p().max(f64::EPSILON);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a logarithm of a ratio of two 64-bit numbers, at least 0"
    )]
    let halvings = (range / within).log2().max(0.0).ceil() as u32;
    let least = halvings.saturating_sub(1).max(1);
    let least = least.saturating_mul(needed.min(misses));
    // The range's end, and what rounding adds.
    let most = (halvings + 3).saturating_mul(needed.saturating_add(misses - 1));
    (least, most)
}

/// How many samples a cell of the test takes, at least and at most.
#[must_use]
pub fn samples_of(test: &Test) -> (u32, u32) {
    let repeat = &test.timing.repeat;
    match &test.find {
        Some(find) => samples(find, repeat.least()),
        None => (repeat.least(), repeat.most()),
    }
}

/// An end of the range that is left.
struct End {
    rate: u64,
    /// By probes; else it is the plan's bound.
    tried: bool,
}

impl End {
    fn untried(rate: u64) -> Self {
        Self { rate, tried: false }
    }

    fn tried(rate: u64) -> Self {
        Self { rate, tried: true }
    }
}

/// What the probes say of a rate.
enum Verdict {
    Open,
    Holds,
    Fails,
}

impl Verdict {
    fn from_probes(rate: u64, needed: usize, probes: &[Probe]) -> Self {
        let count = |held| {
            let probes = probes.iter();
            probes
                .filter(|probe| probe.rate_bps == rate && probe.held == held)
                .count()
        };
        if count(false) >= MISSES {
            Verdict::Fails
        } else if count(true) >= needed {
            Verdict::Holds
        } else {
            Verdict::Open
        }
    }
}

/// The geometric mean of two rates that lie further apart than `within` percent; none when they do
/// not, or when there is no whole number between them.
fn between(low: u64, high: u64, within: f64) -> Option<u64> {
    let (low_f, high_f) = (low as f64, high as f64);
    if high_f <= low_f * (1.0 + within / 100.0) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between two 64-bit numbers, and checked below"
    )]
    let middle = (low_f.sqrt() * high_f.sqrt()).round() as u64;
    (low < middle && middle < high).then_some(middle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::units::{BitRate, Percent};
    use crate::plan::{Comparison, Condition, Goal, Metric};

    fn find(from: u64, to: u64, within: f64) -> Find {
        Find {
            rate: Goal::Max,
            from: BitRate(from),
            to: BitRate(to),
            within: Percent(within),
            condition: Condition {
                metric: Metric::known("lost_percent").unwrap(),
                comparison: Comparison::AtMost,
                bound: 0.1,
            },
        }
    }

    /// Searches where `holds` says of a rate and of how many probes were before whether it holds.
    fn search(find: &Find, needed: u32, holds: impl Fn(u64, usize) -> bool) -> (Step, Vec<Probe>) {
        let mut probes = Vec::new();
        loop {
            match next(find, needed, &probes) {
                Step::Probe(rate_bps) => {
                    let held = holds(rate_bps, probes.len());
                    probes.push(Probe { rate_bps, held });
                }
                end => return (end, probes),
            }
        }
    }

    const M: u64 = 1_000_000;

    #[test]
    fn the_default_range_takes_a_dozen_probes() {
        let find = find(M, 100_000 * M, 5.0);
        let (end, probes) = search(&find, 1, |rate, _| rate <= 95 * M);
        let Step::Found(found) = end else {
            panic!("{end:?}")
        };
        assert!(!found.at_bound && found.rate_bps <= 95 * M && found.rate_bps >= 90 * M);
        assert!(probes.len() <= 14, "{}", probes.len());
        assert_eq!(samples(&find, 1), (7, 22));
    }

    #[test]
    fn the_lower_bound_holds_where_rounding_saves_a_step() {
        let find = find(1000, 3574, 1.0);
        let taken = |limit| search(&find, 2, |rate, _| rate <= limit).1.len();
        let (least, most) = samples(&find, 2);
        let all: Vec<usize> = (1000..3574).map(taken).collect();
        assert_eq!(all.iter().min(), Some(&(least as usize)));
        assert!(all.iter().all(|taken| *taken <= most as usize));
    }

    #[test]
    fn both_ends_are_tried_only_where_it_matters() {
        let find = find(M, 1000 * M, 10.0);
        let (end, probes) = search(&find, 1, |_, _| true);
        let top = Found {
            rate_bps: 1000 * M,
            at_bound: true,
        };
        assert_eq!(end, Step::Found(top));
        assert_eq!(probes.last().map(|p| p.rate_bps), Some(1000 * M));
        assert!(probes.iter().all(|probe| probe.rate_bps > M));

        let (end, probes) = search(&find, 1, |_, _| false);
        assert_eq!(end, Step::NoneHolds);
        let last: Vec<u64> = probes.iter().rev().take(2).map(|p| p.rate_bps).collect();
        assert_eq!(last, [M, M], "confirmed once");
    }

    #[test]
    fn a_single_miss_does_not_count() {
        let find = find(M, 1000 * M, 5.0);
        let calm = search(&find, 1, |rate, _| rate <= 300 * M).0;
        // The fourth probe goes wrong for no fault of the rate.
        let (end, _) = search(&find, 1, |rate, before| before != 3 && rate <= 300 * M);
        assert_eq!(end, calm);
    }

    #[test]
    fn a_rate_holds_by_as_many_probes_as_a_cell_takes_samples() {
        let find = find(M, 2 * M, 50.0);
        let (_, probes) = search(&find, 3, |_, _| true);
        let first = probes[0].rate_bps;
        assert_eq!(probes.iter().filter(|p| p.rate_bps == first).count(), 3);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates of tests are far from the ends of u64"
    )]
    fn whole(rate_bps: f64) -> u64 {
        rate_bps.ceil() as u64
    }

    proptest! {
        #[test]
        fn what_is_found_holds_and_is_as_high_as_it_can_be(
            from in prop_oneof![1..3_000_u64, 1..1_000_000_000_u64],
            ratio in prop_oneof![1.0..10_f64, 1.0..1e6_f64],
            within in 0.1..100.0_f64,
            needed in 1..4_u32,
            limit in 0.0..1.2_f64,
        ) {
            let to = whole(from as f64 * ratio);
            let find = find(from, to, within);
            // Somewhere in the range, or outside.
            let limit = whole(from as f64 * ratio.powf(limit * 1.1 - 0.05));
            let (end, probes) = search(&find, needed, |rate, _| rate <= limit);
            let (least, most) = samples(&find, needed);
            prop_assert!(probes.len() <= most as usize, "{} of {most}", probes.len());
            // Below 1 kbit/s, where plans allow no rate, whole bits are coarse.
            prop_assert!(from < 1000 || probes.len() >= least as usize, "{} of {least}", probes.len());
            prop_assert!(probes.iter().all(|p| (from..=to).contains(&p.rate_bps)));
            match end {
                Step::Found(found) => {
                    prop_assert!(found.rate_bps <= limit);
                    prop_assert_eq!(found.at_bound, limit >= to && found.rate_bps == to);
                    let best = limit.min(to) as f64;
                    let close = found.rate_bps as f64 * (1.0 + within / 100.0) + 1.0;
                    prop_assert!(best <= close, "{best} of {}", found.rate_bps);
                }
                Step::NoneHolds => prop_assert!(limit < from),
                Step::Probe(_) => prop_assert!(false, "the search has not ended"),
            }
        }

        /// Also where probes are as good as random, and whatever a journal has.
        #[test]
        fn every_search_ends(
            seed in prop::collection::vec(any::<bool>(), 64),
            needed in 1..5_u32,
            within in 0.1..50.0_f64,
        ) {
            let find = find(1000, 100_000_000_000, within);
            let (_, probes) = search(&find, needed, |_, before| seed[before % 64]);
            prop_assert!(probes.len() <= samples(&find, needed).1 as usize);
        }
    }
}

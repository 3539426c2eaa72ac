//! What is known of the gaps that a test must have: its cuts, by the marks of the faults, and the silences of a packet capture.

use jiff::Timestamp;

use crate::plan::{Deed, Fault, Test};
use crate::results::mark::{Edge, Mark};

/// A gap belongs to a cut that began at most this long before or after it. The probe counts from the begin of its measurement,
/// which is some milliseconds after the go.
const NEAR_S: f64 = 0.3;

/// A cut of a link whose begin and end are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    pub sample: u32,
    pub entry: u32,
    pub began: Timestamp,
    /// From the go to its begin.
    pub offset_s: f64,
    pub lasted_ms: f64,
}

/// Something that lasted, with its begin on any clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    pub begin_s: f64,
    pub length_ms: f64,
}

/// Whether the test cuts links and does nothing else; how often in each sample.
pub fn cuts_a_sample(test: &Test) -> Option<usize> {
    let is_cut = |deed: &Deed| matches!(deed, Deed::Fault(Fault::Cut(_)));
    let all = test.during.iter().all(|entry| is_cut(&entry.what));
    Some(test.during.len()).filter(|count| all && *count > 0)
}

/// The cuts of a test's samples. Of an attempt that was repeated, the last counts.
pub fn cuts(marks: &[Mark], test: &str) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    let mut open: Vec<&Mark> = Vec::new();
    for mark in marks.iter().filter(|mark| mark.test == test) {
        let same = |other: &Mark| (other.sample, other.entry) == (mark.sample, mark.entry);
        match mark.edge {
            Edge::Begin => {
                open.retain(|other| !same(other));
                cuts.retain(|cut| (cut.sample, cut.entry) != (mark.sample, mark.entry));
                open.push(mark);
            }
            Edge::End => {
                let Some(at) = open.iter().position(|other| same(other)) else {
                    continue;
                };
                let begin = open.swap_remove(at);
                let lasted = mark.happened.duration_since(begin.happened);
                cuts.push(Cut {
                    sample: mark.sample,
                    entry: mark.entry,
                    began: begin.happened,
                    offset_s: begin.offset_s,
                    lasted_ms: lasted.as_secs_f64() * 1e3,
                });
            }
            Edge::Moment => {}
        }
    }
    cuts
}

/// The times without an arrival, as the probe counts gaps: from the last arrival to the first one, less one interval. Begins
/// count from `zero`.
pub fn silences(
    arrivals: &[Timestamp],
    zero: Timestamp,
    interval_ms: f64,
    shortest_ms: f64,
) -> Vec<Stretch> {
    let mut silences = Vec::new();
    for (last, first) in arrivals.iter().zip(arrivals.iter().skip(1)) {
        let length_ms = first.duration_since(*last).as_secs_f64() * 1e3 - interval_ms;
        if length_ms >= shortest_ms {
            silences.push(Stretch {
                begin_s: last.duration_since(zero).as_secs_f64(),
                length_ms,
            });
        }
    }
    silences
}

/// The length of the one that begins next to this time, in milliseconds; `None` where none is near.
pub fn near(stretches: &[Stretch], begin_s: f64) -> Option<f64> {
    let distance = |one: &Stretch| (one.begin_s - begin_s).abs();
    let near = stretches.iter().filter(|one| distance(one) <= NEAR_S);
    let nearest = near.min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
    Some(nearest.length_ms)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(us: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_micros(us)
    }

    fn mark(entry: u32, edge: Edge, us: u64) -> Mark {
        Mark {
            test: "cuts".to_owned(),
            variant: None,
            params: crate::schedule::Params::default(),
            sample: 1,
            entry,
            edge,
            happened: at(us),
            offset_s: us as f64 / 1e6,
            uncertainty_s: 0.0,
            exit_code: None,
            text: "cut: [node-1, node-2]".to_owned(),
        }
    }

    #[test]
    fn a_cut_is_what_lies_between_its_marks() {
        let marks = [
            mark(0, Edge::Begin, 1_000),
            // The attempt was repeated.
            mark(0, Edge::Begin, 5_000_000),
            mark(1, Edge::Begin, 5_100_000),
            mark(0, Edge::End, 5_050_500),
            mark(1, Edge::Moment, 5_200_000),
        ];
        let found = cuts(&marks, "cuts");
        assert_eq!(found.len(), 1);
        assert!((found[0].lasted_ms - 50.5).abs() < 1e-9);
        assert_eq!(cuts(&marks, "other"), []);
    }

    proptest! {
        #[test]
        fn silences_are_as_long_as_the_gaps_of_the_probe(
            before in 2_u64..50, length in 11_000_u64..900_000, after in 2_u64..50,
        ) {
            let last = (before - 1) * 1_000;
            let times = (0..before).map(|n| n * 1_000).chain((0..after).map(|n| last + length + n * 1_000));
            let times: Vec<Timestamp> = times.map(at).collect();
            let found = silences(&times, at(0), 1.0, 10.0);
            prop_assert_eq!(found.len(), 1);
            prop_assert!((found[0].length_ms - (length as f64 / 1e3 - 1.0)).abs() < 1e-9);
            prop_assert_eq!(near(&found, last as f64 / 1e6 + 0.2), Some(found[0].length_ms));
            prop_assert_eq!(near(&found, last as f64 / 1e6 + 0.4), None);
        }
    }
}

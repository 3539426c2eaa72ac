//! Plans with variants: samples in rounds, pairs that are dropped, and variants that stop together.

use proptest::prelude::*;

use super::super::progress::Progress;
use super::super::sample::order::SampleOrder;
use super::super::table::Id as _;
use super::super::*;
use super::plans::{state_after, with_fakes};
use crate::diag::Source;
use crate::plan::{self, Order};
use crate::results::Sample;
use crate::tools::{Cause, Failure, Metrics};

fn plan_with(variants: u32, order: &str, repeat: &str) -> plan::Plan {
    let names: Vec<String> = (0..variants).map(|v| format!("v{v}: {{}}")).collect();
    let text = format!(
        "version: 1
name: p
seed: 5
order: {order}
workers: {{ w1: {{}}, w2: {{}} }}
variants: {{ {} }}
paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}, {{ name: b, from: w2, to: w1, via: pod_ip }}]
defaults: {{ repeat: {repeat}, retries: 0 }}
tests: [{{ name: t, iperf3: {{ mss: [100, 200] }} }}]
",
        names.join(", ")
    );
    plan::load(Source::new("p.yaml", text), &[]).unwrap()
}

/// Takes the samples one after the other, as the queue would, until all cells have ended. `value` gives the result of
/// the nth attempt: of a cell and a sample; `None` for a failure. Gives the attempts, and how each cell ended.
fn run(
    plan: plan::Plan,
    mut value: impl FnMut(CellIndex, u32) -> Option<f64>,
) -> (Vec<(CellIndex, u32)>, Vec<Outcome>) {
    let mut state = state_after(with_fakes(plan), &[]);
    let cells: Vec<CellIndex> = (0..state.tasks.len()).map(CellIndex::from_index).collect();
    let mut outcomes = vec![None; cells.len()];
    let mut taken = Vec::new();
    loop {
        let open = cells.iter().filter(|cell| !state.progress[**cell].ended());
        let Some(rank) = open
            .map(|cell| state.order.rank(*cell, &state.progress[*cell]))
            .min()
        else {
            break;
        };
        let cell = rank.cell();
        let id = state.tasks.at(cell).id();
        match state.next_for(cell) {
            Next::Attempt {
                sample, attempt, ..
            } => {
                taken.push((cell, sample));
                state.emit_for_cell(
                    cell,
                    EventKind::SampleStarted {
                        cell: id.clone(),
                        sample,
                        attempt,
                    },
                    None,
                );
                let event = match value(cell, sample) {
                    Some(value) => {
                        let mut metrics = Metrics::default();
                        metrics.set(state.tasks.at(cell).work.tool.headline(), value);
                        EventKind::Sample(Sample {
                            sample,
                            metrics,
                            ..Sample::example(&id)
                        })
                    }
                    None => EventKind::AttemptFailed {
                        cell: id,
                        sample,
                        attempt,
                        failure: Failure::new(Cause::Refused, "no"),
                        raw: None,
                        raw_cut_bytes: 0,
                    },
                };
                state.emit_for_cell(cell, event, None);
            }
            Next::End(outcome) => {
                outcomes[cell.index()] = Some(outcome.clone());
                state.end_cell(cell, outcome);
            }
            Next::Nothing => panic!("the cell has ended"),
        }
    }
    (taken, outcomes.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_variants_of_a_cell_are_measured_next_to_each_other(
        variants in 2..6_u32,
        squares in 1..4_u32,
        order in prop::sample::select(vec!["listed", "interleaved", "shuffled"]),
    ) {
        let rounds = squares * variants;
        let plan = plan_with(variants, order, &rounds.to_string());
        let sample_order = SampleOrder::new(Order::Listed, 0, with_fakes(plan.clone()).members());
        let (taken, outcomes) = run(plan, |_, _| Some(1.0));
        prop_assert_eq!(taken.len(), 4 * (variants * rounds) as usize);
        prop_assert_eq!(outcomes.len(), 4 * variants as usize);
        let mut last = None;
        for round in taken.chunks(variants as usize) {
            let group = |(cell, sample): &(CellIndex, u32)| (sample_order.member(*cell).unwrap().group, *sample);
            let first = group(&round[0]);
            prop_assert!(round.iter().all(|taken| group(taken) == first), "{:?}", round);
            if let Some((group, sample)) = last.replace(first) {
                // All rounds of a cell before the next one, or a round of each cell in turn.
                let same = if order == "listed" { first.0 == group } else { first.1 == sample };
                let is_done = if order == "listed" { sample == rounds } else { first.1 == sample + 1 };
                prop_assert!(same || is_done, "{:?} after {:?}", first, (group, sample));
            }
        }
    }

    #[test]
    fn a_sample_that_fails_for_good_takes_only_its_pairs(
        fails in prop::collection::vec(prop::bool::weighted(0.2), 48),
    ) {
        let plan = plan_with(2, "interleaved", "6");
        let has_failed = |cell: CellIndex, sample: u32| fails[cell.index() * 6 + sample as usize - 1];
        let (taken, outcomes) = run(plan, |cell, sample| (!has_failed(cell, sample)).then_some(1.0));
        for (cell, outcome) in outcomes.iter().enumerate() {
            let own: Vec<u32> = taken.iter().filter(|(c, _)| c.index() == cell).map(|(_, s)| *s).collect();
            prop_assert!(own.iter().zip(1..).all(|(sample, expected)| *sample == expected), "{:?}", own);
            let measured = own.iter().filter(|sample| !has_failed(CellIndex::from_index(cell), **sample)).count();
            if let Outcome::Measured { samples, .. } = outcome {
                prop_assert_eq!(own.len(), 6);
                prop_assert_eq!(*samples as usize, measured);
            } else {
                // The first sample, or three in a row.
                let last = own.iter().rev().take_while(|s| has_failed(CellIndex::from_index(cell), **s)).count();
                prop_assert!(last == own.len() || last == 3, "{} of {:?}", last, own);
                prop_assert!(last != own.len() || own.len() == 1);
            }
        }
    }
}

#[test]
fn all_variants_stop_when_the_ratio_is_known() {
    // Drift of 10 % from round to round, which both share: the means are never known, the ratio is at once.
    let drift = |sample: u32| 100.0 + 10.0 * f64::from(sample);
    let value = |cell: CellIndex, sample| {
        let cost = if cell.index() % 4 < 2 { 1.0 } else { 0.97 };
        Some(drift(sample) * cost)
    };
    for (until, rounds, reached) in [("1% of v0", 4, true), ("1%", 20, false)] {
        let repeat = format!("{{ min: 4, max: 20, until: {until} }}");
        let (taken, outcomes) = run(plan_with(2, "listed", &repeat), value);
        assert_eq!(taken.len(), 8 * rounds, "{until}");
        let expected = Outcome::Measured {
            samples: u32::try_from(rounds).unwrap(),
            reached: Some(reached),
            found: None,
        };
        assert!(
            outcomes.iter().all(|outcome| *outcome == expected),
            "{outcomes:?}"
        );
    }
}

#[test]
fn a_plan_without_variants_has_no_rounds() {
    let mut plan = plan_with(2, "listed", "4");
    plan.variants.clear();
    let tasks = with_fakes(plan);
    assert_eq!(tasks.members(), []);
    let order = SampleOrder::new(Order::Interleaved, 0, tasks.members());
    let cells = [0, 1].map(CellIndex::from_index);
    let [first, second] = cells.map(|cell| order.rank(cell, &Progress::with_samples(3)));
    assert!(first < second);
}

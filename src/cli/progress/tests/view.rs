//! What holds for the status line whatever happens in a run.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::status_line;
use super::super::view::{Phase, View};
use crate::diag::Source;
use crate::plan::{self, Plan};
use crate::results::{EventKind, Outcome, Sample};
use crate::schedule::{CellId, Schedule, Selection};
use crate::tools::{Cause, Failure, Metrics, name};

const PLAN: &str = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 10s, repeat: 3 }
tests: [{ iperf3: { mss: [100, 200] } }]
";

fn planned() -> (Plan, Schedule) {
    let plan = plan::load(Source::new("p", PLAN), &[]).unwrap();
    let schedule = Schedule::new(&plan, &Selection::all());
    (plan, schedule)
}

fn view<'p>(plan: &'p Plan, schedule: &'p Schedule, now: Instant) -> View<'p> {
    View::for_schedule(Cow::Borrowed(plan), Cow::Borrowed(schedule), now)
}

fn cell(mss: u32) -> CellId {
    CellId(format!("iperf3-tcp/a/mss={mss}"))
}

fn started(mss: u32, sample: u32) -> EventKind {
    EventKind::SampleStarted {
        cell: cell(mss),
        sample,
        attempt: 1,
    }
}

fn measured(mss: u32, bps: f64) -> EventKind {
    let mut metrics = Metrics::default();
    metrics.set(name::THROUGHPUT_BPS, bps);
    EventKind::Sample(Sample {
        wall_s: 10.0,
        metrics,
        ..Sample::example(&cell(mss))
    })
}

fn failed(mss: u32) -> EventKind {
    EventKind::AttemptFailed {
        cell: cell(mss),
        sample: 1,
        attempt: 1,
        failure: Failure {
            cause: Cause::Timeout,
            words: String::new(),
            note: String::new(),
        },
        raw: None,
        raw_cut_bytes: 0,
    }
}

fn ended(mss: u32) -> EventKind {
    let reason = String::new();
    EventKind::CellEnded {
        cell: cell(mss),
        outcome: Outcome::Skipped { reason },
    }
}

fn line(view: &View<'_>, now: Instant) -> String {
    status_line::fit(&view.parts(now), 80)
}

#[test]
fn a_run_is_told_from_its_start_to_its_end() {
    let (plan, schedule) = planned();
    let begin = Instant::now();
    let at = |seconds| begin + Duration::from_secs(seconds);
    let mut view = view(&plan, &schedule, begin);
    let bar = "░░░░░░░░░░░░░░░░░░░░";
    assert_eq!(
        line(&view, at(3)),
        format!("{bar}  0/2  1 min 0 s left  starting, 3 s")
    );
    view.on(&started(100, 1), at(5));
    let shown = line(&view, at(9));
    assert!(
        shown.ends_with("0/2  56 s left  iperf3-tcp/a/mss=100"),
        "{shown}"
    );
    view.on(&measured(100, 9e8), at(15));
    view.on(&started(100, 2), at(15));
    view.on(&measured(100, 1e9), at(25));
    view.on(&started(100, 3), at(25));
    let shown = line(&view, at(27));
    assert!(
        shown.contains("0/2  38 s left  iperf3-tcp/a/mss=100"),
        "{shown}"
    );
    let parts = view.parts(at(27));
    assert_eq!(parts.detail, "950 Mbit/s (mean of 2 samples)");
    let told = view.running(at(27));
    assert_eq!(
        told[..2],
        [
            "0/2  38 s left, measuring for 22 s",
            "  iperf3-tcp/a/mss=100: sample 3 of 3, 2 s of about 11 s, so far 950 Mbit/s (mean of 2 samples)",
        ]
    );
    let [command] = &told[2..] else {
        panic!("{told:?}");
    };
    assert!(
        command.starts_with("    on w1: iperf3 -c <w2 pod IP> "),
        "{command}"
    );
    assert!(command.contains(" -M 100"), "{command}");
    view.enter(Phase::Stopping, at(28));
    let shown = line(&view, at(28));
    assert!(
        shown.contains("0/2  stopping… (Ctrl-C again: at once)"),
        "{shown}"
    );
    view.enter(Phase::Removing, at(29));
    view.enter(Phase::Stopping, at(30));
    let shown = line(&view, at(31));
    assert!(
        shown.ends_with("0/2  removing what was made…  2 s"),
        "{shown}"
    );
}

#[test]
fn a_run_that_is_joined_is_known_with_its_first_event() {
    let now = Instant::now();
    let mut view = View::new(now);
    assert!(line(&view, now).contains("connecting"));
    let start = EventKind::RunStarted {
        run: "0badcafe".to_owned(),
        netplan: String::new(),
        plan: PLAN.to_owned(),
        only: None,
    };
    for event in [start, started(100, 1), ended(100), started(200, 1)] {
        view.on(&event, now);
        view.begin_here();
    }
    assert_eq!(view.cells(), (1, 2));
    assert!(line(&view, now).contains("1/2  30 s left  iperf3-tcp/a/mss=200"));
    assert_eq!(view.running(now).len(), 3);
}

#[test]
fn what_ran_when_a_run_was_cut_off_runs_no_more() {
    let (plan, schedule) = planned();
    let now = Instant::now();
    let mut view = view(&plan, &schedule, now);
    for event in [started(100, 1), measured(100, 9e8), started(100, 2)] {
        view.learn(&event);
    }
    let shown = line(&view, now);
    assert!(shown.ends_with("0/2  50 s left  starting, 0 s"), "{shown}");
    assert_eq!(view.running(now)[1..], ["  starting, 0 s"]);
    view.on(&started(100, 2), now);
    assert_eq!(view.parts(now).detail, "900 Mbit/s");
}

fn any_event() -> impl Strategy<Value = EventKind> {
    let mss = prop_oneof![Just(100), Just(200), Just(300)];
    (mss, 0..4, 1u32..5).prop_map(|(mss, kind, sample)| match kind {
        0 => started(mss, sample),
        1 => measured(mss, 1e9),
        2 => failed(mss),
        _ => ended(mss),
    })
}

proptest! {
    /// Also for events in an order that no run has, and of cells that are in no plan.
    #[test]
    fn the_time_left_never_grows_while_nothing_happens(
        events in prop::collection::vec((any_event(), 0u64..20), 0..20), then in 0u64..100,
    ) {
        let (plan, schedule) = planned();
        let mut now = Instant::now();
        let mut view = view(&plan, &schedule, now);
        let mut running = std::collections::BTreeSet::new();
        for (event, pause) in &events {
            now += Duration::from_secs(*pause);
            view.on(event, now);
            match event {
                EventKind::SampleStarted { cell, .. } => { running.insert(cell.clone()); }
                EventKind::Sample(sample) => { running.remove(&sample.cell); }
                EventKind::AttemptFailed { cell, .. } | EventKind::CellEnded { cell, .. } => {
                    running.remove(cell);
                }
                _ => {}
            }
        }
        let later = now + Duration::from_secs(then);
        prop_assert!(view.forecast(later).most <= view.forecast(now).most);
        prop_assert!(view.forecast(later).least <= view.forecast(later).most);
        prop_assert!(line(&view, later).chars().count() < 80);
        let listed = view.running(later);
        for cell in &running {
            let is_listed = listed.iter().any(|line| line.contains(&format!("  {}: ", cell.0)));
            prop_assert!(is_listed, "{} is not in {listed:?}", cell.0);
        }
    }
}

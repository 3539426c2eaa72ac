//! Plans made for the state's tests, measured by the fake.

use std::sync::LazyLock;

use super::super::copy::claim::HeldJournal;
use super::super::copy::epoch::Epoch;
use super::super::copy::holder::Ledger;
use super::super::replay::Replay;
use super::super::task::Tasks;
use super::super::{Limits, State};
use super::fake_tool::Fake;
use crate::diag::Source;
use crate::plan::{self, Concurrency, Order, Path, Placement, Plan, Test, Via};
use crate::results::EventKind;
use crate::schedule::Selection;
use crate::tools::{LoadTool, Tool};

/// One path, and one test that sets no parameter.
static ONE: LazyLock<Plan> = LazyLock::new(|| {
    let text = "version: 1
name: one
workers: { w: {} }
paths: [{ name: p, from: w, to: w, via: cluster_ip }]
tests: [netperf: {}]
";
    plan::load(Source::new("one.yaml", text), &[]).unwrap()
});

/// Between the cell and the number of a load.
pub(super) const LOAD_MARK: char = '+';

/// What a plan says of the order of its samples.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Policy {
    pub order: Order,
    pub seed: u64,
    pub concurrency: Concurrency,
    /// The fake listens on a TCP port, so that full segments are exchanged before the first sample.
    pub has_port: bool,
}

pub(super) fn path(name: String, from: &str, to: &str, via: Via) -> Path {
    Path {
        name,
        from: from.to_owned(),
        to: to.to_owned(),
        via,
        ..ONE.paths[0].clone()
    }
}

pub(super) fn test(name: String, paths: Vec<String>) -> Test {
    Test {
        name,
        paths,
        ..ONE.tests[0].clone()
    }
}

/// The fake calls each cell by its test.
pub(in super::super) fn tasks(
    workers: impl IntoIterator<Item = String>,
    paths: Vec<Path>,
    tests: Vec<Test>,
    policy: Policy,
) -> Tasks {
    let workers = workers.into_iter();
    let plan = Plan {
        workers: workers.map(|name| (name, Placement::default())).collect(),
        paths,
        tests,
        order: policy.order,
        seed: Some(policy.seed),
        concurrency: policy.concurrency,
        ..ONE.clone()
    };
    with_fakes_that_listen(plan, policy.has_port)
}

/// The label of a test whose tool outlives sessions.
pub(super) const OUTLIVES: &str = "outlives";

/// The tasks of a plan whose tests are measured by the fake, which has no port.
pub(super) fn with_fakes(plan: Plan) -> Tasks {
    with_fakes_that_listen(plan, false)
}

fn with_fakes_that_listen(plan: Plan, has_port: bool) -> Tasks {
    let fake = |cell, outlives_session| -> Box<dyn Tool> {
        Box::new(Fake {
            cell,
            outlives_session,
            has_port,
        })
    };
    Tasks::with_tools(
        plan,
        &Selection::all(),
        |test, _| fake(test.name.clone(), test.label == OUTLIVES),
        |test, nth, load| LoadTool {
            tool: fake(format!("{}{LOAD_MARK}{nth}", test.name), false),
            ..load
        },
    )
}

/// A run of these tasks that continues after these events, with a copy of the journal.
pub(super) fn state_after(tasks: Tasks, events: &[EventKind]) -> State {
    let base = HeldJournal {
        epoch: Epoch(1),
        next_seq: events.len() as u64,
        complete: false,
    };
    state_of_epoch(tasks, events, Epoch(2), base)
}

/// The same as the orchestrator of an epoch.
pub(super) fn state_of_epoch(
    tasks: Tasks,
    events: &[EventKind],
    epoch: Epoch,
    base: HeldJournal,
) -> State {
    let ledger = Ledger {
        epoch,
        base,
        next_seq: events.len() as u64,
        node: Some("n0".to_owned()),
        has_copies: true,
    };
    let mut replay = Replay::new(&tasks);
    for event in events {
        replay.apply(event);
    }
    let history = replay.finish();
    State::new(tasks, Limits::default(), history, ledger)
}

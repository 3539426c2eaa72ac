//! Plans for histories: which cells, between which workers, measured how often, in which order.

use std::time::Duration;

use proptest::prelude::*;

use super::super::task::Tasks;
use super::plans::{self, Policy};
use crate::plan::{
    self, BuiltInUse, Concurrency, Find, Load, Repeat, Test, Timing, ToolSpec, Until, Via,
};

pub(super) const WORKERS: [&str; 5] = ["w1", "w2", "w3", "w4", "w5"];

/// A cell of a generated plan, with a path and a test of its own.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties, in all combinations"
)]
pub(in super::super) struct CellSpec {
    /// Index of the client's worker.
    pub from: usize,
    /// Index of the server's worker.
    pub to: usize,
    pub by_cluster_ip: bool,
    pub repeat: Repeat,
    pub retries: u32,
    pub cooldown: bool,
    /// Searches for a rate.
    pub search: bool,
    /// Its tool outlives sessions.
    pub outlives: bool,
    /// How many loads it has, where samples run one by one.
    pub loads: usize,
}

/// A cell between two workers that is measured once.
pub(in super::super) const fn cell(from: usize, to: usize) -> CellSpec {
    CellSpec {
        from,
        to,
        by_cluster_ip: false,
        repeat: Repeat::Times(1),
        retries: 0,
        cooldown: false,
        search: false,
        outlives: false,
        loads: 0,
    }
}

/// Half of the fake's samples lose something.
pub(super) fn a_search() -> Find {
    Find {
        rate: plan::Goal::Max,
        from: plan::units::BitRate(1000),
        to: plan::units::BitRate(8000),
        within: plan::units::Percent(50.0),
        condition: plan::Condition {
            metric: plan::Metric::known("lost_percent").unwrap(),
            comparison: plan::Comparison::AtMost,
            bound: 1.0,
        },
    }
}

pub(in super::super) const LISTED: Policy = Policy {
    order: plan::Order::Listed,
    seed: 0,
    concurrency: Concurrency::Serial,
};

/// The tasks of a plan with these cells.
pub(in super::super) fn tasks(cells: &[CellSpec], policy: Policy) -> Tasks {
    let make = |(i, cell): (usize, &CellSpec)| {
        let via = if cell.by_cluster_ip {
            Via::ClusterIp
        } else {
            Via::PodIp
        };
        let path = plans::path(format!("p{i}"), WORKERS[cell.from], WORKERS[cell.to], via);
        let test = Test {
            timing: Timing {
                duration: plan::units::Duration(Duration::from_secs(1)),
                warmup: plan::units::Duration::default(),
                cooldown: plan::units::Duration(Duration::from_secs(u64::from(cell.cooldown))),
                timeout: None,
                retries: cell.retries,
                repeat: cell.repeat.clone(),
            },
            find: cell.search.then(a_search),
            label: if cell.outlives { plans::OUTLIVES } else { "" }.to_owned(),
            load: loads_of(cells, i, policy)
                .into_iter()
                .map(load_on)
                .collect(),
            ..plans::test(format!("cell-{i}"), vec![path.name.clone()])
        };
        (path, test)
    };
    let (paths, tests) = cells.iter().enumerate().map(make).unzip();
    plans::tasks(WORKERS.map(str::to_owned), paths, tests, policy)
}

/// The cells on whose paths the loads of a cell run: that of the first cell, then its own.
pub(super) fn loads_of(cells: &[CellSpec], index: usize, policy: Policy) -> Vec<usize> {
    match policy.concurrency {
        Concurrency::Serial => [0, index].into_iter().take(cells[index].loads).collect(),
        Concurrency::DisjointNodes => Vec::new(),
    }
}

fn load_on(cell: usize) -> Load {
    Load {
        tool: ToolSpec::BuiltIn(BuiltInUse::new("iperf3", "tcp").unwrap()),
        paths: vec![format!("p{cell}")],
    }
}

pub(super) fn cells() -> impl Strategy<Value = Vec<CellSpec>> {
    let fields = (
        0..WORKERS.len(),
        0..WORKERS.len(),
        any::<bool>(),
        repeat(),
        0..3_u32,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        (
            prop::bool::weighted(0.4),
            prop_oneof![2 => Just(0), 1 => 1..3_usize],
        ),
    );
    let cell = fields.prop_map(
        |(from, to, by_cluster_ip, repeat, retries, cooldown, search, (outlives, loads))| {
            CellSpec {
                from,
                to,
                by_cluster_ip,
                repeat,
                retries,
                cooldown,
                search,
                outlives,
                loads,
            }
        },
    );
    prop::collection::vec(cell, 1..6)
}

fn repeat() -> impl Strategy<Value = Repeat> {
    let until = (2..4_u32, 0..3_u32, 1.0..200.0).prop_map(|(min, more, percent)| {
        Repeat::Until(Until {
            min,
            max: min + more,
            until: plan::units::Percent(percent).into(),
        })
    });
    prop_oneof![3 => (1..3_u32).prop_map(Repeat::Times), 1 => until]
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    let order = prop::sample::select(vec![
        plan::Order::Listed,
        plan::Order::Interleaved,
        plan::Order::Shuffled,
    ]);
    let concurrency = prop::sample::select(vec![Concurrency::Serial, Concurrency::DisjointNodes]);
    (order, any::<u64>(), concurrency).prop_map(|(order, seed, concurrency)| Policy {
        order,
        seed,
        concurrency,
    })
}

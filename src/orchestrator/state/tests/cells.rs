//! Plans for histories: which cells, between which workers, measured how often, in which order.

use std::time::Duration;

use proptest::prelude::*;

use super::super::task::Tasks;
use super::plans::{self, Policy};
use crate::catalog::LOAD_TOOLS;
use crate::plan::{
    self, BuiltInUse, Concurrency, Find, Load, Repeat, Test, Timing, ToolSpec, Until, Via,
};

pub(super) const WORKERS: [&str; 5] = ["w1", "w2", "w3", "w4", "w5"];

/// A cell of a generated plan, with a path of its own, and a test of its own unless it is measured with others.
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
    /// It is measured at once with all other such cells, which are the last ones and differ in their path only.
    pub together: bool,
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
        together: false,
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
    has_port: false,
};

/// The tasks of a plan with these cells.
pub(in super::super) fn tasks(cells: &[CellSpec], policy: Policy) -> Tasks {
    let path = |(i, cell): (usize, &CellSpec)| {
        let via = if cell.by_cluster_ip {
            Via::ClusterIp
        } else {
            Via::PodIp
        };
        plans::path(format!("p{i}"), WORKERS[cell.from], WORKERS[cell.to], via)
    };
    let test = |(i, cell): (usize, &CellSpec)| {
        let last = if cell.together { cells.len() } else { i + 1 };
        let paths = (i..last).map(|i| format!("p{i}")).collect();
        Test {
            timing: Timing {
                duration: plan::units::Duration(Duration::from_secs(1)),
                warmup: plan::units::Duration::default(),
                cooldown: plan::units::Duration(Duration::from_secs(u64::from(cell.cooldown))),
                timeout: None,
                retries: cell.retries,
                repeat: cell.repeat.clone(),
                intervals: None,
            },
            find: cell.search.then(a_search),
            label: if cell.outlives { plans::OUTLIVES } else { "" }.to_owned(),
            together: cell.together,
            load: loads_of(cells, i, policy)
                .into_iter()
                .map(load_on)
                .collect(),
            ..plans::test(format!("cell-{i}"), paths)
        }
    };
    let paths = cells.iter().enumerate().map(path).collect();
    let first = cells.iter().position(|cell| cell.together);
    let own = cells.iter().enumerate();
    let own = own.filter(|(i, cell)| !cell.together || Some(*i) == first);
    let tests = own.map(test).collect();
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
    let tool = LOAD_TOOLS[0];
    let used = BuiltInUse::new(tool.name, tool.default_mode().word).unwrap();
    Load {
        tool: ToolSpec::BuiltIn(used),
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
            prop::bool::weighted(0.3),
            prop_oneof![2 => Just(0), 1 => 1..3_usize],
        ),
    );
    let cell = fields.prop_map(
        |(
            from,
            to,
            by_cluster_ip,
            repeat,
            retries,
            cooldown,
            search,
            (outlives, together, loads),
        )| {
            CellSpec {
                from,
                to,
                by_cluster_ip,
                repeat,
                retries,
                cooldown,
                search,
                outlives,
                together,
                loads: if together { 0 } else { loads },
            }
        },
    );
    prop::collection::vec(cell, 1..6).prop_map(|mut cells| {
        cells.sort_by_key(|cell| cell.together);
        let batch = cells.iter().position(|cell| cell.together);
        if let Some((first, others)) = batch.and_then(|at| cells[at..].split_first_mut()) {
            first.search = false;
            if let Repeat::Until(until) = &first.repeat {
                first.repeat = Repeat::Times(until.min);
            }
            for other in others {
                *other = CellSpec {
                    from: other.from,
                    to: other.to,
                    by_cluster_ip: other.by_cluster_ip,
                    ..first.clone()
                };
            }
        }
        cells
    })
}

/// Which of the paths to its destination the path of a cell is.
fn slot(cells: &[CellSpec], index: usize) -> usize {
    let before = cells[..index].iter();
    before.filter(|cell| cell.to == cells[index].to).count()
}

/// The cell that a command line of the fake is for: of a server on the worker `to`, or of a client on `from`. Of the
/// latter there may be several by the same name, to different workers.
pub(super) fn cells_of_command(
    cells: &[CellSpec],
    argv: &[String],
    to: Option<usize>,
    from: Option<usize>,
) -> Vec<usize> {
    let named: usize = argv[1].trim_start_matches("cell-").parse().unwrap();
    if !cells[named].together {
        return vec![named];
    }
    let slot_of_command: usize = argv.last().unwrap().parse().unwrap();
    let is_it = |index: &usize| {
        let cell = &cells[*index];
        to.is_none_or(|to| cell.to == to)
            && from.is_none_or(|from| cell.from == from)
            && slot(cells, *index) == slot_of_command
    };
    (named..cells.len()).filter(is_it).collect()
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
    (order, any::<u64>(), concurrency, any::<bool>()).prop_map(
        |(order, seed, concurrency, has_port)| Policy {
            order,
            seed,
            concurrency,
            has_port,
        },
    )
}

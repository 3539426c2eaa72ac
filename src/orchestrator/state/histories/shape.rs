//! Plans for histories: which cells, between which workers, measured how often, in which order.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::task::{Line, Work};
use super::super::{Concurrency, Policy, Task};
use super::fake::Fake;
use crate::plan::{self, Find, Repeat, Timing, Until, Via};
use crate::results::Circumstances;
use crate::schedule::{CellId, Params};

pub(super) const WORKERS: [&str; 5] = ["w1", "w2", "w3", "w4", "w5"];

/// A cell as generated: from, to, by virtual IP, repeat, retries, with cooldown, a search.
pub(super) type Shape = (usize, usize, bool, Repeat, u32, bool, bool);

/// Half of the fake's samples lose something.
pub(in super::super) fn a_search() -> Find {
    Find {
        rate: plan::Goal::Max,
        from: plan::units::BitRate(1000),
        to: plan::units::BitRate(8000),
        within: plan::units::Percent(50.0),
        condition: plan::Condition {
            metric: plan::Metric::LOST_PERCENT,
            comparison: plan::Comparison::AtMost,
            bound: 1.0,
        },
    }
}

/// One sample of a fake, without retries.
pub(in super::super) fn fake_work(find: Option<Find>) -> Work {
    let timing = Timing {
        duration: plan::units::Duration(Duration::from_secs(1)),
        warmup: plan::units::Duration::default(),
        cooldown: plan::units::Duration::default(),
        timeout: None,
        retries: 0,
        repeat: ONCE,
    };
    Work {
        timing,
        find,
        tool: Box::new(Fake {
            cell: String::new(),
        }),
        deadline: Duration::from_secs(10),
    }
}

pub(super) const ONCE: Repeat = Repeat::Times(1);
pub(super) const LISTED: Policy = Policy {
    order: plan::Order::Listed,
    seed: 0,
    concurrency: Concurrency::Serial,
};

pub(super) fn tasks(shapes: &[Shape]) -> Vec<Task> {
    let task = |(i, &(from, to, virtual_ip, repeat, retries, cool, find)): (usize, &Shape)| {
        let cell = format!("cell-{i}");
        let mut work = fake_work(find.then(a_search));
        work.tool = Box::new(Fake { cell: cell.clone() });
        let cooldown = Duration::from_secs(u64::from(cool));
        work.timing = Timing {
            cooldown: plan::units::Duration(cooldown),
            retries,
            repeat,
            ..work.timing
        };
        Task {
            cell: CellId(cell.clone()),
            params: Params::default(),
            line: Arc::new(Line {
                path: "p".to_owned(),
                from: WORKERS[from].to_owned(),
                to: WORKERS[to].to_owned(),
                via: if virtual_ip {
                    Via::ClusterIp
                } else {
                    Via::PodIp
                },
                slot: 0,
                circumstances: Circumstances::default(),
                work: Arc::new(work),
            }),
        }
    };
    shapes.iter().enumerate().map(task).collect()
}

pub(super) fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (
        0..WORKERS.len(),
        0..WORKERS.len(),
        any::<bool>(),
        repeat(),
        0..3_u32,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(shape, 1..6)
}

fn repeat() -> impl Strategy<Value = Repeat> {
    let until = (2..4_u32, 0..3_u32, 1.0..200.0).prop_map(|(min, more, percent)| {
        Repeat::Until(Until {
            min,
            max: min + more,
            until: plan::units::Percent(percent),
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

//! Plans for histories: which cells, between which workers, measured how often, in which order.

use std::time::Duration;

use proptest::prelude::*;

use super::super::task::Tasks;
use super::plans::{self, Policy};
use crate::plan::{self, Concurrency, Find, Repeat, Test, Timing, Until, Via};

pub(super) const WORKERS: [&str; 5] = ["w1", "w2", "w3", "w4", "w5"];

/// A cell as generated: from, to, by virtual IP, repeat, retries, with cooldown, a search.
pub(in super::super) type Shape = (usize, usize, bool, Repeat, u32, bool, bool);

/// Half of the fake's samples lose something.
pub(super) fn a_search() -> Find {
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

pub(in super::super) const ONCE: Repeat = Repeat::Times(1);
pub(in super::super) const LISTED: Policy = Policy {
    order: plan::Order::Listed,
    seed: 0,
    concurrency: Concurrency::Serial,
};

/// Each shape makes a path, and a test on it.
pub(in super::super) fn tasks(shapes: &[Shape], policy: Policy) -> Tasks {
    let make = |(i, &(from, to, virtual_ip, repeat, retries, cool, find)): (usize, &Shape)| {
        let via = if virtual_ip {
            Via::ClusterIp
        } else {
            Via::PodIp
        };
        let path = plans::path(format!("p{i}"), WORKERS[from], WORKERS[to], via);
        let test = Test {
            timing: Timing {
                duration: plan::units::Duration(Duration::from_secs(1)),
                warmup: plan::units::Duration::default(),
                cooldown: plan::units::Duration(Duration::from_secs(u64::from(cool))),
                timeout: None,
                retries,
                repeat,
            },
            find: find.then(a_search),
            ..plans::test(format!("cell-{i}"), vec![path.name.clone()])
        };
        (path, test)
    };
    let (paths, tests) = shapes.iter().enumerate().map(make).unzip();
    plans::tasks(WORKERS.map(str::to_owned), paths, tests, policy)
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

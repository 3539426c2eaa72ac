//! Paths are tested before the first sample: single histories.

use super::super::*;
use super::cells::{CellSpec, LISTED, WORKERS, cell};
use super::journal_check::check;
use super::machine::Machine;
use super::path_orders::{is_black_hole, is_silent};
use super::plans::Policy;
use super::world::World;
use crate::plan::Repeat;
use crate::results::warnings::{Kind, Warning};
use crate::tools::How;

const WITH_PORT: Policy = Policy {
    has_port: true,
    ..LISTED
};
/// The second one is on a path with a black hole.
const CELLS: [CellSpec; 2] = [cell(0, 3), cell(1, 0)];

/// All workers have joined.
fn joined() -> World {
    joined_for(&CELLS)
}

fn joined_for(cells: &[CellSpec]) -> World {
    let mut world = World::new(cells, WITH_PORT, &[]);
    world.join_all();
    for _ in WORKERS {
        world.deliver_next();
    }
    world
}

/// The names of the cells with samples that have the warning, and the words of failures.
fn told(world: &World) -> (Vec<&str>, Vec<&str>) {
    let (mut warned, mut failed) = (Vec::new(), Vec::new());
    for event in &world.journal {
        match event {
            EventKind::Sample(sample) => {
                let mut kinds = sample.warnings.iter().map(Warning::kind);
                warned.extend(
                    kinds
                        .any(|kind| kind == Kind::MtuBlackHole)
                        .then_some(&*sample.path),
                );
            }
            EventKind::AttemptFailed { failure, .. } => failed.push(&*failure.note),
            _ => {}
        }
    }
    (warned, failed)
}

#[test]
fn samples_of_a_path_where_large_packets_vanish_have_the_warning() {
    assert!(!is_black_hole(0, 3) && is_black_hole(1, 0));
    let mut world = joined();
    assert_eq!(world.acceptors.len(), 2);
    world.settle();
    assert_eq!((world.acceptors.len(), world.servers.len()), (0, 1));
    for _ in CELLS {
        world.ready(0);
        world.settle();
        world.end_client(world.clients[0].0, How::Code(0));
        world.settle();
    }
    assert_eq!(told(&world), (vec!["p1"], vec![]));
    check(&world.journal, &world.specs, WITH_PORT, false, &[]);
}

#[test]
fn a_failure_says_that_large_packets_vanish_on_its_path() {
    let mut world = joined();
    world.settle();
    for _ in CELLS {
        world.ready(0);
        world.settle();
        world.end_client(world.clients[0].0, How::Deadline);
        world.settle();
    }
    let (_, failed) = told(&world);
    assert_eq!(failed[0], "");
    let words = "before the first sample, large packets vanished on this path: forward, TCP segments with 1448 bytes";
    assert!(failed[1].contains(words), "{failed:?}");
}

/// The paths that were reported as silent.
fn reported(world: &World) -> Vec<(&str, &str)> {
    let events = world.journal.iter();
    events
        .filter_map(|event| match event {
            EventKind::PathUnreachable { path, found } => Some((&**path, &**found)),
            _ => None,
        })
        .collect()
}

#[test]
fn silence_is_reported_even_if_another_worker_does_not_answer() {
    let mut world = joined_for(&[cell(1, 0), cell(2, 3)]);
    let origin = world.believed[WORKERS[1]];
    world.deaf.insert(origin);
    world.settle();
    assert_eq!(reported(&world), []);
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    world.settle();
    assert!(
        matches!(reported(&world)[..], [("p1", _)]),
        "{:?}",
        reported(&world)
    );
}

#[test]
fn a_silent_path_is_reported_and_its_failures_say_so_until_it_works() {
    assert!(is_silent(2, 3) && !is_silent(0, 3));
    let silent = CellSpec {
        repeat: Repeat::Times(2),
        retries: 1,
        ..cell(2, 3)
    };
    let mut world = joined_for(&[cell(0, 3), silent]);
    world.settle();
    let [("p1", found)] = reported(&world)[..] else {
        panic!("{:?}", reported(&world));
    };
    assert!(found.starts_with("pod IP "), "{found}");
    assert!(found.contains(" times out"), "{found}");
    let ends = [0, 1, 0, 1].map(How::Code);
    for end in ends {
        world.ready(0);
        world.settle();
        world.end_client(world.clients[0].0, end);
        world.settle();
    }
    let (_, failed) = told(&world);
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(
        failed[0].starts_with("before the first sample, pod IP "),
        "{failed:?}"
    );
    assert!(!failed[1].contains("before the first sample"), "{failed:?}");
}

#[test]
fn workers_that_do_not_answer_delay_the_first_sample_no_longer_than_a_timer() {
    let mut world = joined();
    let origin = world.believed[WORKERS[1]];
    world.deaf.insert(origin);
    world.settle();
    assert!(world.servers.is_empty(), "{:?}", world.state.phase);
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    world.settle();
    assert_eq!((world.acceptors.len(), world.servers.len()), (0, 1));
    // A port that is not freed ends the session of its worker.
    let mut world = joined();
    let destination = world.believed[WORKERS[3]];
    world.deliver_next();
    world.deliver_next();
    world.deaf.insert(destination);
    world.settle();
    assert!(world.servers.is_empty(), "{:?}", world.state.phase);
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    assert!(world.over.contains(&destination));
    // It is waited for like any worker that has left, and no segment is exchanged again.
    assert!(world.servers.is_empty(), "{:?}", world.state.phase);
    world.sessions.remove(WORKERS[3]);
    world.join(WORKERS[3], Machine::on_node(3));
    world.settle();
    assert_eq!((world.acceptors.len(), world.servers.len()), (0, 1));
}

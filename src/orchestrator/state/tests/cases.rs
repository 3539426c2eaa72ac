//! Single histories, each for one rule of the state.

use std::time::Duration;

use jiff::Timestamp;

use super::super::*;
use super::cells::{CellSpec, LISTED, WORKERS, cell};
use super::journal_check::check;
use super::machine::Machine;
use super::world::World;
use crate::plan::Repeat;
use crate::tools::{Cause, How};

#[test]
fn a_worker_that_does_not_stop_its_client_is_disconnected() {
    let mut world = World::new(&[cell(0, 1), cell(2, 1)], LISTED, &[]);
    world.join_all();
    world.settle();
    world.ready(0);
    world.settle();
    let hung = world.sessions["w1"];
    world.deaf.insert(hung);
    for _ in ["the client's deadline", "the stop's"] {
        assert!(world.clients.iter().any(|(p, ..)| p.session == hung));
        let timer = *world.timers.last().unwrap();
        world.deliver(Input::TimerFired(timer));
        world.settle();
    }
    assert!(world.over.contains(&hung));
    world.ready(0);
    world.settle();
    assert_eq!(world.clients[0].1[1], "cell-1");
    world.end_well();
    check(&world.journal, &world.specs, LISTED, false, &[]);
}

#[test]
fn the_first_sample_waits_a_moment_for_workers_that_no_cell_needs() {
    for third_comes in [true, false] {
        let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
        for worker in ["w1", "w2", "w4", "w5"] {
            world.join(worker, Machine::on_node(0));
            world.deliver_next();
        }
        assert!(world.servers.is_empty());
        let input = if third_comes {
            world.join("w3", Machine::on_node(0));
            world.mail.remove(0)
        } else {
            Input::TimerFired(*world.timers.last().unwrap())
        };
        world.deliver(input);
        assert_eq!(world.servers.len(), 1);
    }
}

/// The first client has measured; its answer is on its way.
fn end_first_client(world: &mut World) {
    world.join_all();
    for _ in WORKERS {
        world.deliver_next();
    }
    world.ready(0);
    world.deliver_next();
    world.end_client(world.clients[0].0, How::Code(0));
}

#[test]
fn a_sample_waits_for_what_its_server_saw_and_outlives_its_worker() {
    for server_stays in [true, false] {
        let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
        end_first_client(&mut world);
        world.deliver_next();
        let samples = |world: &World| {
            let of = |kind: &EventKind| match kind {
                EventKind::Sample(sample) => Some(sample.clone()),
                _ => None,
            };
            world.journal.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert!(samples(&world).is_empty(), "the server has not answered");
        if !server_stays {
            // It ended all the same, but its word is lost with it.
            world.mail.clear();
            world.vanish("w2");
        }
        world.deliver_next();
        let sample = &samples(&world)[0];
        let saw = sample.metrics.get("observed_s.server");
        assert_eq!(saw, server_stays.then_some(1.5));
        world.end_well();
        check(&world.journal, &world.specs, LISTED, false, &[]);
    }
}

#[test]
fn a_worker_that_left_before_the_first_sample_has_failed_its_cells() {
    let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
    world.join("w2", Machine::on_node(0));
    world.vanish("w2");
    // Without any worker, another orchestrator could have them.
    world.join("w3", Machine::on_node(0));
    for input in std::mem::take(&mut world.mail) {
        world.deliver(input);
    }
    // Both are given up together, whenever one of them left.
    let timer = world.timers[0];
    world.deliver(Input::TimerFired(timer));
    let ends = world.journal.iter().filter_map(|event| match event {
        EventKind::CellEnded { outcome, .. } => Some(outcome),
        _ => None,
    });
    let ends: Vec<_> = ends.cloned().collect();
    let [Outcome::Failed(failure)] = &ends[..] else {
        panic!("{ends:?}")
    };
    let words = "worker `w2` left and did not come back in time";
    assert_eq!(
        (failure.cause, failure.words.as_str()),
        (Cause::WorkerLost, words)
    );
}

#[test]
fn a_worker_that_the_cluster_gives_up_is_not_waited_for() {
    let given_up = || Input::WorkerGivenUp {
        worker: "w2".to_owned(),
        reason: "pod `w2` ended: exit code 1".to_owned(),
    };
    for was_there in [false, true] {
        let mut world = World::new(&[cell(0, 1), cell(0, 2)], LISTED, &[]);
        for worker in WORKERS
            .into_iter()
            .filter(|name| *name != "w2" || was_there)
        {
            world.join(worker, Machine::on_node(0));
        }
        world.settle();
        if was_there {
            // Its end may be known before its stream breaks, or after.
            assert_eq!(world.servers.len(), 1);
            world.deliver(given_up());
            assert_eq!(world.servers.len(), 1, "its session has not ended");
            world.vanish("w2");
            world.settle();
        } else {
            assert!(world.servers.is_empty());
            world.deliver(given_up());
        }
        // No timer has fired, and the other cell runs already.
        assert_eq!(world.servers.len(), 1);
        assert_eq!(world.servers[0].1, "cell-1");
        let timers = world.timers.len();
        world.ready(0);
        world.settle();
        world.end_client(world.clients[0].0, How::Code(0));
        world.settle();
        assert!(world.finished, "{timers} timers");
        let failed = world.journal.iter().find_map(|event| match event {
            EventKind::CellEnded {
                outcome: Outcome::Failed(failure),
                ..
            } => Some(failure.clone()),
            _ => None,
        });
        let failed = failed.unwrap();
        assert_eq!(failed.cause, Cause::WorkerLost);
        assert_eq!(
            failed.words,
            "worker `w2` will not come back: pod `w2` ended: exit code 1"
        );
    }
}

#[test]
fn a_worker_that_was_given_up_and_comes_counts_again() {
    let mut world = World::new(&[cell(0, 1)], LISTED, &[]);
    world.deliver(Input::WorkerGivenUp {
        worker: "w2".to_owned(),
        reason: "gone".to_owned(),
    });
    world.join_all();
    world.settle();
    assert_eq!(world.servers.len(), 1);
    world.end_well();
    check(&world.journal, &world.specs, LISTED, false, &[]);
}

#[test]
fn a_service_that_leads_nowhere_yet_is_tried_again_but_not_for_ever() {
    let mut world = World::new(
        &[CellSpec {
            by_cluster_ip: true,
            ..cell(0, 1)
        }],
        LISTED,
        &[],
    );
    world.join_all();
    world.settle();
    // The first connection may lead to the new pod and the second one to the old: code 6.
    for (seconds, code) in [(0, 7), (20, 6), (40, 7)] {
        world.clock = Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        world.ready(0);
        world.settle();
        world.end_client(world.clients[0].0, How::Code(code));
        world.settle();
        // The server is gone too, and the pause over.
        while world.clients.is_empty() && world.servers.is_empty() && !world.finished {
            let timer = *world.timers.last().unwrap();
            world.deliver(Input::TimerFired(timer));
            world.settle();
        }
    }
    let causes: Vec<Cause> = world
        .journal
        .iter()
        .filter_map(|event| match event {
            EventKind::AttemptFailed { failure, .. } => Some(failure.cause),
            _ => None,
        })
        .collect();
    assert_eq!(
        causes,
        [
            Cause::ServiceNotReady,
            Cause::ServiceNotReady,
            Cause::Refused
        ]
    );
    check(&world.journal, &world.specs, LISTED, false, &[]);
}

#[test]
fn what_was_measured_when_cancel_came_is_kept_once() {
    let mut world = World::new(
        &[CellSpec {
            repeat: Repeat::Times(2),
            ..cell(0, 1)
        }],
        LISTED,
        &[],
    );
    end_first_client(&mut world);
    world.deliver(Input::Cancel);
    let done = world.mail.remove(0);
    world.deliver(done.clone());
    world.deliver(done);
    assert!(!world.finished, "the server may still live");
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    world.deliver_held();
    assert!(world.finished);
    check(&world.journal, &world.specs, LISTED, true, &[]);
    assert_eq!(world.starts_seen.len(), 1);
}

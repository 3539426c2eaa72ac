//! The figures that large plans are held to.

use std::collections::BTreeMap;

use super::super::copy::claim::Claim;
use super::super::message::{ClientEnd, Process};
use super::super::*;
use super::plans::{self, Policy};
use crate::plan::{self, Concurrency, Path, Via};
use crate::results::WorkerEnvironment;
use crate::tools::{Ended, How};

/// Each of `nodes` nodes with each other one, in the rounds of a tournament by the circle method:
/// one node stays, the others move on by one place a round.
fn tournament(nodes: usize) -> Vec<(usize, usize)> {
    let others = nodes - 1;
    let round = |round: usize| {
        let at = move |place: usize| (round + place) % others;
        let rest = (1..nodes / 2).map(move |i| (at(i), at(others - i)));
        std::iter::once((others, at(0))).chain(rest)
    };
    (0..others).flat_map(round).collect()
}

fn name(node: usize) -> String {
    format!("w{node}")
}

const DISJOINT: Policy = Policy {
    order: plan::Order::Listed,
    seed: 0,
    concurrency: Concurrency::DisjointNodes,
    has_port: false,
};

/// Runs all tasks with each worker on a node of its own; each sample takes one unit of time. Returns
/// how many samples ran in each unit.
fn rounds(pairs: &[(usize, usize)], nodes: usize) -> Vec<usize> {
    let path = |(nth, (from, to)): (usize, &(usize, usize))| {
        plans::path(format!("p{nth}"), &name(*from), &name(*to), Via::PodIp)
    };
    let paths: Vec<Path> = pairs.iter().enumerate().map(path).collect();
    let names = paths.iter().map(|path| path.name.clone()).collect();
    let tests = vec![plans::test("t".to_owned(), names)];
    let tasks = plans::tasks((0..nodes).map(name), paths, tests, DISJOINT);
    let mut state = plans::state_after(tasks, &[]);
    let mut commands = state.begin();
    commands.extend(state.settle_copies());
    let now = Timestamp::UNIX_EPOCH;
    for node in 0..nodes {
        let tools = [("fake".to_owned(), "3".to_owned())].into();
        let place = Place {
            node: format!("node-{node}"),
            pod_ip: format!("10.0.{}.{}", node / 256, node % 256),
            cluster_ip: None,
            other_pod_ip: None,
            other_cluster_ip: None,
            peer_ip: None,
            claim: Claim::default(),
            kept: Vec::new(),
            environment: WorkerEnvironment {
                tools,
                ..WorkerEnvironment::default()
            },
        };
        commands.extend(state.handle(
            now,
            Input::WorkerJoined {
                worker: name(node),
                session: Session(node as u64 + 1),
                place,
            },
        ));
    }
    let mut rounds = Vec::new();
    // Clients by the unit in which they end.
    let mut running: Vec<(Session, Step)> = Vec::new();
    loop {
        let mut inputs = Vec::new();
        for command in commands.drain(..) {
            let Command::Send { session, order } = command else {
                continue;
            };
            match order {
                Order::StartServer { step, .. } => {
                    inputs.push(Input::ServerReady(Process { session, step }));
                }
                Order::RunClient { step, .. } => running.push((session, step)),
                Order::Stop { step } => inputs.push(Input::ServerEnded {
                    process: Process { session, step },
                    ended: ended(How::Stopped),
                    observed: None,
                }),
                Order::Accept { .. } | Order::TryConnection { .. } | Order::TestPaths { .. } => {
                    panic!("{order:?}")
                }
                Order::Forget { .. } | Order::Goodbye => {}
            }
        }
        if inputs.is_empty() {
            if running.is_empty() {
                assert_eq!(state.count(), (pairs.len(), pairs.len()));
                return rounds;
            }
            rounds.push(running.len());
            if rounds.len().is_multiple_of(2) {
                running.reverse();
            }
            // They end one after the other, and what that makes possible starts at once.
            for (session, step) in std::mem::take(&mut running) {
                let end = ClientEnd {
                    ended: ended(How::Code(0)),
                    wall: Duration::from_secs(1),
                    tcp: None,
                    observed: None,
                };
                inputs.push(Input::ClientEnded(Process { session, step }, end));
            }
        }
        for input in inputs {
            commands.extend(state.handle(now, input));
        }
    }
}

fn ended(how: How) -> Ended {
    Ended::new(how, "1", "")
}

#[test]
fn a_tournament_meets_each_pair_once() {
    for nodes in [2, 4, 10] {
        let pairs = tournament(nodes);
        let mut met: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for round in pairs.chunks(nodes / 2) {
            let mut busy: Vec<usize> = round.iter().flat_map(|(a, b)| [*a, *b]).collect();
            busy.sort_unstable();
            assert_eq!(busy, (0..nodes).collect::<Vec<_>>());
            for (a, b) in round {
                *met.entry((*a.min(b), *a.max(b))).or_default() += 1;
            }
        }
        assert_eq!(met.len(), nodes * (nodes - 1) / 2);
        assert!(met.values().all(|times| *times == 1));
    }
}

/// Each round's samples end one after the other, in another order each second time; still no node
/// takes a partner of a later round.
#[test]
fn a_mesh_of_500_nodes_takes_499_rounds() {
    let rounds = rounds(&tournament(500), 500);
    assert_eq!(rounds.len(), 499);
    assert!(rounds.iter().all(|samples| *samples == 250));
}

/// Pairs that do not make a tournament still run side by side as far as they can.
#[test]
fn what_has_to_wait_is_overtaken_where_that_costs_nothing() {
    // Three samples each of 0-1, 1-2, 2-3: the last ones need not wait for the second.
    let pairs = [(0, 1), (1, 2), (2, 3)].map(|pair| [pair; 3]).concat();
    assert_eq!(rounds(&pairs, 4), [2, 2, 2, 1, 1, 1]);
}

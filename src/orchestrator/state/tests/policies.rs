//! Variants with policies: a connection that they forbid is tried before the first sample.

use std::collections::BTreeMap;

use super::super::message::{ClientEnd, Process};
use super::super::*;
use super::plans::{state_after, with_fakes};
use crate::diag::Source;
use crate::plan;
use crate::results::WorkerEnvironment;
use crate::tools::{Ended, How};

/// What comes of the forbidden connection.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Fails,
    Succeeds,
    /// Over the second family only.
    SucceedsByIpv6,
    /// Like the permitted one.
    FailsAlways,
    CannotListen,
    OriginLeaves,
    NoAnswer,
}

const PLAN: &str = "version: 1
name: p
seed: 5
workers: { w1: {}, w2: {} }
variants: { plain: {}, policy: {} }
paths:
  - { name: a, from: w2, to: w1, via: pod_ip }
  - { name: b, from: w2, to: w1, via: pod_ip, family: ipv4 }
  - { name: c, from: w2, to: w1, via: pod_ip, family: ipv6 }
defaults: { repeat: 2 }
tests: [{ name: t, netperf: {} }]
";

fn joined(worker: &str, session: u64) -> Input {
    let place = Place {
        node: "n1".to_owned(),
        pod_ip: format!("10.0.0.{session}"),
        other_pod_ip: Some(format!("fd00::{session}")),
        environment: WorkerEnvironment {
            tools: [("fake".to_owned(), "3".to_owned())].into(),
            ..WorkerEnvironment::default()
        },
        ..Place::default()
    };
    Input::WorkerJoined {
        worker: worker.to_owned(),
        session: Session(session),
        place,
    }
}

/// What a worker says to an order. `tried` has the addresses and ports that were tried.
fn answers(fate: Fate, session: Session, order: Order, tried: &mut Vec<String>) -> Vec<Input> {
    let process = |step| Process { session, step };
    match order {
        Order::Accept { step, port } => {
            let is_forbidden = session == Session(3);
            let expected = if is_forbidden { (3, 65535) } else { (1, 65534) };
            assert_eq!((session.0, port), expected);
            let in_use = || Err("port 65535 is in use".to_owned());
            match fate {
                Fate::NoAnswer => Vec::new(),
                Fate::CannotListen if is_forbidden => {
                    vec![Input::Accepting(process(step), in_use())]
                }
                _ => vec![Input::Accepting(process(step), Ok(()))],
            }
        }
        Order::TryConnection {
            step,
            address,
            port,
            until_connected,
            ..
        } => {
            tried.push(format!("{address} {port}"));
            assert_eq!(session, Session(if until_connected { 2 } else { 4 }));
            if until_connected {
                let connected = fate != Fate::FailsAlways;
                return vec![Input::ConnectionTried(process(step), connected)];
            }
            if fate == Fate::OriginLeaves {
                let worker = "w2-policy".to_owned();
                return vec![
                    Input::WorkerLeft { worker, session },
                    joined("w2-policy", 5),
                ];
            }
            let connected = match fate {
                Fate::Succeeds => true,
                Fate::SucceedsByIpv6 => address.contains(':'),
                _ => false,
            };
            vec![Input::ConnectionTried(process(step), connected)]
        }
        Order::StartServer { step, .. } => vec![Input::ServerReady(process(step))],
        Order::RunClient { step, .. } => {
            let end = ClientEnd {
                ended: Ended::silent(How::Code(0)),
                wall: Duration::from_secs(1),
                tcp: None,
                observed: None,
            };
            vec![Input::ClientEnded(process(step), end)]
        }
        Order::Stop { step } => vec![Input::ServerEnded {
            process: process(step),
            ended: Ended::silent(How::Stopped),
            observed: None,
        }],
        Order::TestPaths { .. } => panic!("{order:?}"),
        Order::Forget { .. } | Order::Goodbye => Vec::new(),
    }
}

/// Runs the plan. For each cell how it ended, and how often a sample of it was started; and what was tried before.
fn run(fate: Fate) -> (BTreeMap<String, (Outcome, usize)>, Vec<String>) {
    let plan = plan::load(Source::new("p.yaml", PLAN), &[]).unwrap();
    let forbidden = "policy,w2-policy,w1-policy,65535,w2,w1,65534"
        .parse()
        .unwrap();
    let mut state = state_after(with_fakes(plan), &[]).with_forbidden(vec![forbidden]);
    let mut commands = state.begin();
    commands.extend(state.settle_copies());
    let now = Timestamp::UNIX_EPOCH;
    for (worker, session) in [("w1", 1), ("w2", 2), ("w1-policy", 3), ("w2-policy", 4)] {
        commands.extend(state.handle(now, joined(worker, session)));
    }
    let (mut started, mut ends) = (BTreeMap::<String, usize>::new(), BTreeMap::new());
    let mut tried = Vec::new();
    let mut timer = None;
    loop {
        let mut inputs = Vec::new();
        for command in commands.drain(..) {
            match command {
                Command::SetTimer { timer: set, .. } => timer = Some(set),
                Command::Emit(emission) => match emission.kind {
                    EventKind::SampleStarted { cell, .. } => {
                        let is_tried = !matches!(state.phase, Phase::TryingForbidden(_));
                        assert!(is_tried, "a sample before the check");
                        *started.entry(cell.0).or_default() += 1;
                    }
                    EventKind::CellEnded { cell, outcome } => drop(ends.insert(cell.0, outcome)),
                    _ => {}
                },
                Command::Send { session, order } => {
                    inputs.extend(answers(fate, session, order, &mut tried));
                }
                _ => {}
            }
        }
        if inputs.is_empty() {
            if !matches!(state.phase, Phase::TryingForbidden(_)) {
                break;
            }
            inputs.extend(timer.take().map(Input::TimerFired));
            assert_eq!(inputs.len(), 1, "the check has no deadline");
        }
        for input in inputs {
            commands.extend(state.handle(now, input));
            commands.extend(state.settle_copies());
        }
    }
    let cells = ends.into_iter().map(|(cell, outcome)| {
        let count = started.get(&cell).copied().unwrap_or_default();
        (cell, (outcome, count))
    });
    (cells.collect(), tried)
}

#[test]
fn only_variants_whose_policies_are_enforced_are_measured() {
    for (fate, words) in [
        (Fate::Fails, ""),
        (
            Fate::Succeeds,
            "policy not enforced: `w2-policy` reaches port 65535 of `w1-policy` at 10.0.0.3,",
        ),
        (
            Fate::SucceedsByIpv6,
            "policy not enforced: `w2-policy` reaches port 65535 of `w1-policy` at fd00::3,",
        ),
        (
            Fate::FailsAlways,
            "policy not checked: `w2` does not reach port 65534 of `w1` at 10.0.0.1,",
        ),
        (
            Fate::CannotListen,
            "policy not checked: worker `w1-policy`: port 65535 is in use",
        ),
        (
            Fate::OriginLeaves,
            "policy not checked: worker `w2-policy` left",
        ),
        (
            Fate::NoAnswer,
            "policy not checked: the workers did not answer in time",
        ),
    ] {
        let (cells, tried) = run(fate);
        assert_eq!(cells.len(), 6, "{cells:?}");
        if matches!(fate, Fate::Fails | Fate::SucceedsByIpv6) {
            let all = [
                "10.0.0.1 65534",
                "10.0.0.3 65535",
                "fd00::1 65534",
                "fd00::3 65535",
            ];
            assert_eq!(tried, all);
        }
        assert_eq!(cells["t/a"].1, 2, "{cells:?}");
        let (outcome, samples) = &cells["t/a@policy"];
        match outcome {
            Outcome::Skipped { reason } => {
                assert!(!words.is_empty() && reason.starts_with(words), "{reason}");
                assert_eq!(*samples, 0);
            }
            _ => assert_eq!((words, *samples), ("", 2), "{outcome:?}"),
        }
    }
}

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
    CannotListen,
    OriginLeaves,
    NoAnswer,
}

const PLAN: &str = "version: 1
name: p
seed: 5
workers: { w1: {}, w2: {} }
variants: { plain: {}, policy: {} }
paths: [{ name: a, from: w2, to: w1, via: pod_ip }]
defaults: { repeat: 2 }
tests: [{ name: t, netperf: {} }]
";

fn joined(worker: &str, session: u64) -> Input {
    let place = Place {
        node: "n1".to_owned(),
        pod_ip: format!("10.0.0.{session}"),
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

/// What a worker says to an order. `has_tried` is set once the check is over.
fn answers(fate: Fate, session: Session, order: Order, has_tried: &mut bool) -> Vec<Input> {
    let process = |step| Process { session, step };
    match order {
        Order::Accept { step, port } => {
            assert_eq!((session, port), (Session(3), 65535));
            *has_tried = fate == Fate::CannotListen || fate == Fate::NoAnswer;
            let in_use = || Err("port 65535 is in use".to_owned());
            match fate {
                Fate::NoAnswer => Vec::new(),
                Fate::CannotListen => vec![Input::Accepting(process(step), in_use())],
                _ => vec![Input::Accepting(process(step), Ok(()))],
            }
        }
        Order::TryConnection { step, address, .. } => {
            assert_eq!((session, address.as_str()), (Session(4), "10.0.0.3"));
            *has_tried = true;
            if fate == Fate::OriginLeaves {
                let worker = "w2-policy".to_owned();
                return vec![
                    Input::WorkerLeft { worker, session },
                    joined("w2-policy", 5),
                ];
            }
            let connected = fate == Fate::Succeeds;
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
        Order::Forget { .. } | Order::Goodbye => Vec::new(),
    }
}

/// Runs the plan. For each cell how it ended, and how often a sample of it was started.
fn run(fate: Fate) -> BTreeMap<String, (Outcome, usize)> {
    let plan = plan::load(Source::new("p.yaml", PLAN), &[]).unwrap();
    let forbidden = "policy,w2-policy,w1-policy,65535".parse().unwrap();
    let mut state = state_after(with_fakes(plan), &[]).with_forbidden(vec![forbidden]);
    let mut commands = state.begin();
    commands.extend(state.settle_copies());
    let now = Timestamp::UNIX_EPOCH;
    for (worker, session) in [("w1", 1), ("w2", 2), ("w1-policy", 3), ("w2-policy", 4)] {
        commands.extend(state.handle(now, joined(worker, session)));
    }
    let (mut started, mut ends) = (BTreeMap::<String, usize>::new(), BTreeMap::new());
    let mut has_tried = false;
    let mut timer = None;
    loop {
        let mut inputs = Vec::new();
        for command in commands.drain(..) {
            match command {
                Command::SetTimer { timer: set, .. } => timer = Some(set),
                Command::Emit(emission) => match emission.kind {
                    EventKind::SampleStarted { cell, .. } => {
                        assert!(has_tried, "a sample before the check");
                        *started.entry(cell.0).or_default() += 1;
                    }
                    EventKind::CellEnded { cell, outcome } => drop(ends.insert(cell.0, outcome)),
                    _ => {}
                },
                Command::Send { session, order } => {
                    inputs.extend(answers(fate, session, order, &mut has_tried));
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
    let cells = ends.into_iter();
    cells
        .map(|(cell, outcome)| {
            let count = started.get(&cell).copied().unwrap_or_default();
            (cell, (outcome, count))
        })
        .collect()
}

#[test]
fn only_variants_whose_policies_are_enforced_are_measured() {
    for (fate, words) in [
        (Fate::Fails, ""),
        (
            Fate::Succeeds,
            "policy not enforced: `w2-policy` reaches port 65535 of `w1-policy`",
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
        let cells = run(fate);
        assert_eq!(cells.len(), 2, "{cells:?}");
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

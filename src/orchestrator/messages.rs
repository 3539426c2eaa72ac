//! Between the gRPC messages of workers and the state's inputs and orders.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use tonic::Status;

use super::address;
use super::state::copy::claim::{Claim, HeldJournal};
use super::state::copy::epoch::Epoch;
use super::state::message::{
    ClientEnd, Input, KeptStep, LostSegment, Order, PathFindings, Place, Process, Session, SetMark,
    Step, Target, TcpConnection, Unreached,
};
use crate::catalog::Direction;
use crate::results::environment::host_metrics::{self, AtEnds, Observation};
use crate::results::mark::Edge;
use crate::results::warnings::VanishedSegment;
use crate::results::{StoredRecord, WorkerEnvironment};
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{self, FromWorker, Hello, Record, to_worker};
use crate::rpc::{self, Malformed, what_ended};

/// A Hello's environment, as JSON: a few kilobytes, most of it the names of offloads.
const MAX_ENVIRONMENT_BYTES: usize = 64 * 1024;
/// Each other text of a Hello; the longest are names of nodes, which have up to 253 bytes.
const MAX_NAME_BYTES: usize = 256;

/// The characters that are kept of what was done.
const MAX_MARK_CHARS: usize = 1024;
/// A mark is sent at once, or when the connection is back.
const MAX_AGE_US: u64 = 24 * 60 * 60 * 1_000_000;
const MAX_UNCERTAINTY_US: u64 = 60 * 1_000_000;

/// Checks that each part of a Hello is within its limit.
///
/// # Errors
/// `invalid_argument` that names the first part that is too long.
pub(super) fn check_lengths(hello: &Hello) -> Result<(), Status> {
    let parts = [
        ("worker", &hello.worker, MAX_NAME_BYTES),
        ("version", &hello.version, MAX_NAME_BYTES),
        ("pod_ip", &hello.pod_ip, MAX_NAME_BYTES),
        ("cluster_ip", &hello.cluster_ip, MAX_NAME_BYTES),
        ("node", &hello.node, MAX_NAME_BYTES),
        ("other_pod_ip", &hello.other_pod_ip, MAX_NAME_BYTES),
        ("other_cluster_ip", &hello.other_cluster_ip, MAX_NAME_BYTES),
        (
            "environment_json",
            &hello.environment_json,
            MAX_ENVIRONMENT_BYTES,
        ),
    ];
    match parts.iter().find(|(_, text, most)| text.len() > *most) {
        None => Ok(()),
        Some((name, text, most)) => Err(Status::invalid_argument(format!(
            "Hello's {name} is {} bytes long; allowed: {most}",
            text.len()
        ))),
    }
}

/// Where a worker whose connection comes from `peer` says it is.
///
/// # Errors
/// When it has another version, or an address that cannot be used for measurements.
pub(super) fn place_from(hello: Hello, peer: IpAddr) -> Result<Place, Status> {
    let ours = env!("CARGO_PKG_VERSION");
    if hello.version != ours {
        return Err(Status::failed_precondition(format!(
            "the worker is netplan {}, the orchestrator is {ours}: use one image for both",
            hello.version
        )));
    }
    let address = |what: &str, text: &str| {
        let address: IpAddr = text.parse().map_err(|_| {
            Status::invalid_argument(format!("{what} `{text}` is not an IP address"))
        })?;
        match address::refusal(address, peer) {
            Some(why) => Err(Status::invalid_argument(format!(
                "{what} `{text}` cannot be used for measurements: {why}"
            ))),
            None => Ok(address),
        }
    };
    let optional = |what: &str, text: &str| match text {
        "" => Ok(None),
        text => address(what, text).map(Some),
    };
    let cluster_ip = optional("cluster_ip", &hello.cluster_ip)?;
    let other_cluster_ip = optional("other_cluster_ip", &hello.other_cluster_ip)?;
    let other_pod_ip = optional("other_pod_ip", &hello.other_pod_ip)?;
    let pod_ip = address("pod_ip", &hello.pod_ip)?;
    let announced: Vec<IpAddr> = [Some(pod_ip), other_pod_ip].into_iter().flatten().collect();
    let claim = Claim {
        obeyed: Epoch(hello.epoch),
        copy: hello.copy.map(|copy| HeldJournal {
            epoch: Epoch(copy.epoch),
            next_seq: copy.next_seq,
            complete: copy.complete,
        }),
    };
    let kept = hello.kept.into_iter().map(|kept| KeptStep {
        epoch: Epoch(kept.epoch),
        step: Step(kept.step),
        is_client: kept.is_client,
        is_running: kept.is_running,
        ends_within: Duration::from_millis(u64::from(kept.ends_within_ms)),
    });
    let kept = kept.collect();
    let environment: WorkerEnvironment = serde_json::from_str(&hello.environment_json)
        .map_err(|error| Status::invalid_argument(format!("invalid environment_json: {error}")))?;
    Ok(Place {
        node: hello.node,
        pod_ip: pod_ip.to_string(),
        cluster_ip: cluster_ip.map(|ip| ip.to_string()),
        other_pod_ip: other_pod_ip.map(|ip| ip.to_string()),
        other_cluster_ip: other_cluster_ip.map(|ip| ip.to_string()),
        peer_ip: address::other_origin(&announced, peer).map(|peer| peer.to_string()),
        environment,
        claim,
        kept,
    })
}

/// A worker's answer as an input.
///
/// # Errors
/// When the message says nothing that a worker may say after its Hello.
pub(super) fn input_from(session: Session, message: FromWorker) -> Result<Input, Malformed> {
    let process = |step| Process {
        session,
        step: Step(step),
    };
    Ok(match message.message.ok_or(Malformed("message"))? {
        Message::Hello(_) => return Err(Malformed("an answer: a second Hello came")),
        Message::ServerReady(ready) => Input::ServerReady(process(ready.step)),
        Message::ServerFlowing(flowing) => Input::ServerFlowing(process(flowing.step)),
        Message::ServerEnded(end) => Input::ServerEnded {
            process: process(end.step),
            ended: what_ended(end.exit)?,
            observed: end.observed.map(observation_from),
        },
        Message::ClientEnded(end) => {
            let answer = ClientEnd {
                ended: what_ended(end.exit)?,
                wall: Duration::from_micros(end.wall_us),
                tcp: end.tcp.map(|tcp| TcpConnection {
                    mss: tcp.snd_mss,
                    retransmits: tcp.total_retrans,
                    rtt_us: tcp.rtt_us,
                }),
                observed: end.observed.map(observation_from),
            };
            Input::ClientEnded(process(end.step), answer)
        }
        Message::Accepting(accepting) => {
            let problem = accepting.problem;
            let answer = if problem.is_empty() {
                Ok(())
            } else {
                Err(problem)
            };
            Input::Accepting(process(accepting.step), answer)
        }
        Message::ConnectionTried(tried) => {
            Input::ConnectionTried(process(tried.step), tried.connected)
        }
        Message::PathsTested(tested) => {
            let lost = tested.lost.into_iter().map(lost_segment_from).collect();
            let unreached = tested.unreached.iter().filter_map(unreached_from).collect();
            let reached = tested
                .reached
                .into_iter()
                .filter_map(|nth| usize::try_from(nth).ok());
            let findings = PathFindings {
                reached: reached.collect(),
                lost,
                unreached,
            };
            Input::PathsTested(process(tested.step), findings)
        }
        Message::Held(held) => Input::Held {
            session,
            held: if held.problem.is_empty() {
                Ok(held.next_seq)
            } else {
                Err(held.problem)
            },
        },
        Message::CopyPart(_) => return Err(Malformed("an answer: a part of a copy came")),
    })
}

/// `None` for an outcome that this version does not know.
fn unreached_from(unreached: &pb::UnreachedTarget) -> Option<Unreached> {
    Some(Unreached {
        target: usize::try_from(unreached.target).ok()?,
        address: rpc::answer(unreached.address.as_ref()?)?,
        pod_address: unreached.pod_address.as_ref().and_then(rpc::answer),
    })
}

fn lost_segment_from(lost: pb::LostSegment) -> LostSegment {
    let direction = if lost.reverse {
        Direction::Reverse
    } else {
        Direction::Forward
    };
    LostSegment {
        target: usize::try_from(lost.target).unwrap_or(usize::MAX),
        segment: VanishedSegment {
            direction,
            payload_bytes: lost.bytes,
        },
    }
}

fn observation_from(seen: pb::Observed) -> Observation {
    let mut figures: Vec<(AtEnds, f64)> =
        vec![(host_metrics::OBSERVED_S, seen.window_us as f64 / 1e6)];
    if let Some(cpu) = seen.cpu {
        figures.push((host_metrics::NODE_BUSY_PERCENT, cpu.busy_percent));
        figures.push((host_metrics::NODE_STEAL_PERCENT, cpu.steal_percent));
    }
    let counts = [
        seen.throttling.map(|throttling| {
            vec![
                (host_metrics::THROTTLED_PERIODS, throttling.periods),
                (host_metrics::THROTTLED_US, throttling.throttled_us),
            ]
        }),
        seen.traffic.map(|traffic| {
            vec![
                (host_metrics::SENT_BYTES, traffic.sent_bytes),
                (host_metrics::RECEIVED_BYTES, traffic.received_bytes),
                (host_metrics::SENT_PACKETS, traffic.sent_packets),
                (host_metrics::RECEIVED_PACKETS, traffic.received_packets),
            ]
        }),
    ];
    let counts = counts.into_iter().flatten().flatten();
    figures.extend(counts.map(|(metric, count)| (metric, count as f64)));
    let carried_bytes = seen
        .all_traffic
        .map(|all| all.sent_bytes.max(all.received_bytes));
    Observation {
        figures,
        carried_bytes,
    }
}

/// A mark that came now; `None` when nothing was done.
pub(super) fn mark_from(request: &pb::MarkRequest, now: Timestamp) -> Option<SetMark> {
    use pb::mark_request::Edge as Said;
    let edge = match request.edge? {
        Said::Begin(_) => Edge::Begin,
        Said::End(_) => Edge::End,
        Said::Moment(_) => Edge::Moment,
    };
    let uncertainty_us = match request.happened_us {
        Some(_) => request.within_us,
        None => request.round_trip_us / 2,
    };
    let uncertainty = Duration::from_micros(uncertainty_us.min(MAX_UNCERTAINTY_US));
    let oldest = now - Duration::from_micros(MAX_AGE_US);
    let told = request.happened_us.and_then(|us| {
        let told = Timestamp::from_microsecond(i64::try_from(us).ok()?).ok()?;
        Some(told.clamp(oldest, now))
    });
    let age = Duration::from_micros(request.age_us.min(MAX_AGE_US));
    Some(SetMark {
        go: request.go,
        entry: request.entry,
        edge,
        happened: told.unwrap_or(now - age - uncertainty),
        uncertainty,
        exit_code: request.exit_code,
        text: request.text.chars().take(MAX_MARK_CHARS).collect(),
    })
}

/// A record as a message.
pub(super) fn record_from(record: StoredRecord) -> Record {
    rpc::record(record.seq, record.line, record.raw)
}

/// An order as a message.
pub(super) fn message_from(order: Order) -> to_worker::Message {
    let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    match order {
        Order::StartServer {
            step,
            server,
            ready_within,
            outlives,
            flow_signs,
        } => to_worker::Message::StartServer(pb::StartServer {
            step: step.0,
            argv: server.argv,
            ready: Some(rpc::ready(server.ready)),
            ready_within_ms: millis(ready_within),
            outlives_ms: outlives.map_or(0, millis),
            flow_signs,
        }),
        Order::RunClient {
            step,
            client,
            deadline,
            output_bytes,
            outlives,
        } => to_worker::Message::RunClient(pb::RunClient {
            step: step.0,
            argv: client.argv,
            warmup_argv: client.warmup_argv,
            deadline_ms: millis(deadline),
            watch_tcp_port: client.watch_tcp_port.map_or(0, u32::from),
            output_bytes: u32::try_from(output_bytes).unwrap_or(u32::MAX),
            outlives,
        }),
        Order::Forget { step } => to_worker::Message::Forget(pb::Forget { step: step.0 }),
        Order::Accept { step, port } => to_worker::Message::Accept(pb::AcceptConnections {
            step: step.0,
            port: port.into(),
        }),
        Order::TryConnection {
            step,
            address,
            port,
            within,
            settle,
            until_connected,
        } => to_worker::Message::TryConnection(pb::TryConnection {
            step: step.0,
            address,
            port: port.into(),
            timeout_ms: millis(within),
            settle_ms: millis(settle),
            until_connected,
        }),
        Order::TestPaths {
            step,
            targets,
            connect_within,
            within,
        } => {
            let targets = targets.into_iter().map(|target| {
                let Target {
                    address,
                    port,
                    pod_address,
                } = target;
                pb::PathTarget {
                    address,
                    port: port.into(),
                    pod_address: pod_address.unwrap_or_default(),
                }
            });
            to_worker::Message::TestPaths(pb::TestPaths {
                step: step.0,
                targets: targets.collect(),
                timeout_ms: millis(within),
                connect_within_ms: millis(connect_within),
            })
        }
        Order::Stop { step } => to_worker::Message::Stop(pb::Stop { step: step.0 }),
        Order::Goodbye => to_worker::Message::Goodbye(pb::Goodbye {}),
    }
}

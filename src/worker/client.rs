//! A client from order to answer: the warm-up, the measuring invocation, and what became of its
//! TCP connections.

use std::time::Duration;

use tokio::time::Instant;

use super::observe::Observer;
use crate::rpc::pb::Observed;
use crate::tools::{Client, Ended, How};
use crate::worker::kernel::tcp_connection::Connection;
use crate::worker::kernel::tcp_watch::Watch;
use crate::worker::tool_process::process::{self, Stop};

/// What came of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Of the measuring invocation, or of a warm-up that failed.
    pub ended: Ended,
    /// Wall time of the measuring invocation; zero when there was none.
    pub wall: Duration,
    /// The watched connection that carried the most bytes.
    pub connection: Option<Connection>,
    /// What happened around the measuring invocation.
    pub observed: Option<Observed>,
}

/// Bounds on a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For warm-up and measurement together.
    pub time: Duration,
    /// Of what the measuring invocation prints; the rest of it is left out.
    pub output_bytes: usize,
}

/// Runs a client to its end.
pub async fn run(client: &Client, limits: Limits, observer: &Observer, stop: &mut Stop) -> Answer {
    let Limits { time, output_bytes } = limits;
    let deadline = Instant::now() + time;
    if !client.warmup_argv.is_empty() {
        let (ended, _) = process::run(&client.warmup_argv, output_bytes, deadline, stop).await;
        if ended.how != How::Code(0) {
            return Answer {
                ended,
                wall: Duration::ZERO,
                connection: None,
                observed: None,
            };
        }
    }
    // Begun after the warm-up, whose connections are not to be seen, and before the client.
    let watch = match client.watch_tcp_port {
        Some(port) => Watch::start(port).await,
        None => None,
    };
    let before = observer.read();
    let (ended, wall) = process::run(&client.argv, output_bytes, deadline, stop).await;
    let seen = observer.since(&before);
    let connection = match watch {
        Some(watch) if ended.how == How::Code(0) => watch.finish().await,
        _ => None,
    };
    Answer {
        ended,
        wall,
        connection,
        observed: Some(seen),
    }
}

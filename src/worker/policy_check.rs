//! The dialling end of a connection that policies forbid or permit: the orchestrator has it tried before the first sample.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::control::dial::{Segments, dial};
use super::outbox::Reply;
use super::tool_process::process::Stop;
use crate::rpc::pb::dialled_address::Outcome;
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{ConnectionTried, TryConnection};

/// No check takes longer.
const LONGEST_SETTLE: Duration = Duration::from_secs(60);
/// The pause before a connection is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Connects until what comes of it is what the order waits for, or its time to settle is over.
pub(super) async fn try_connection(order: TryConnection, mut halt: Stop, reply: Reply) {
    let millis = |ms: u32| Duration::from_millis(ms.into()).min(LONGEST_SETTLE);
    let end = Instant::now() + millis(order.settle_ms);
    let within = millis(order.timeout_ms);
    let port = u16::try_from(order.port).unwrap_or_default();
    let connected = loop {
        let dialled = dial(&order.address, port, within, Segments::None).await;
        let mut addresses = dialled.addresses.iter();
        let connected = addresses.any(|one| one.outcome == Some(Outcome::Connected(true)));
        if connected == order.until_connected || Instant::now() >= end {
            break connected;
        }
        tokio::select! {
            () = sleep(RETRY_AFTER) => {}
            _ = &mut halt => return,
        }
    };
    let step = order.step;
    let answer = ConnectionTried { step, connected };
    reply.say(Message::ConnectionTried(answer)).await;
}

//! The listening end of connections that the orchestrator has tried before the first sample.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::control::accepting;
use super::outbox::Reply;
use super::tool_process::process::Stop;
use crate::rpc::exit;
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{AcceptConnections, Accepting, ServerEnded};
use crate::tools::{Ended, How};

/// No check takes longer.
const LONGEST_ACCEPT: Duration = Duration::from_secs(120);

/// Accepts connections until `halt`, and says when the port is free again.
pub(super) async fn accept(order: AcceptConnections, halt: Stop, reply: Reply) {
    let AcceptConnections { step, port } = order;
    let listener = match u16::try_from(port) {
        Ok(port) => accepting::listener(port).await,
        Err(_) => Err(io::ErrorKind::InvalidInput.into()),
    };
    let problem = match &listener {
        Ok(_) => String::new(),
        Err(error) => format!("cannot listen on port {port}: {error}"),
    };
    let answer = Accepting { step, problem };
    reply.say(Message::Accepting(answer)).await;
    if let Ok(listener) = listener {
        let end = async { drop(timeout(LONGEST_ACCEPT, halt).await) };
        accepting::serve(listener, end).await;
        let ended = ServerEnded {
            step,
            exit: Some(exit(Ended::silent(How::Stopped))),
            observed: None,
        };
        reply.say(Message::ServerEnded(ended)).await;
    }
}

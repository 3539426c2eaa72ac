//! A worker's session: one stream to the orchestrator, whose orders it obeys.

use std::error::Error as _;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::settings::Settings;
use super::shared_copy::SharedCopy;
use super::steps::Steps;
use crate::diag::error_chain;
use crate::rpc::pb::to_worker::Message as Order;
use crate::rpc::pb::{FromWorker, Hello, ToWorker, from_worker};
use crate::rpc::{Malformed, connect};

/// How long an orchestrator that took the connection may take to open the stream.
const JOINED_WITHIN: Duration = Duration::from_secs(10);
/// Answers that wait to be sent.
const ANSWERS: usize = 16;

/// One stream, from its opening to its end.
pub(super) async fn session(
    settings: &Settings,
    hello: &Hello,
    steps: &mut Steps,
    copy: &SharedCopy,
) -> Ending {
    let at = &settings.orchestrator;
    let mut client = match connect(at, &settings.identity).await {
        Ok(client) => client,
        Err(error) if is_refusal(&error.why) => return Ending::Refused(error.why),
        Err(error) => return Ending::Absent(error.why),
    };
    let (answers, outgoing) = mpsc::channel(ANSWERS);
    let message = Some(from_worker::Message::Hello(hello.clone()));
    // There is room: the channel is new.
    let _ = answers.try_send(FromWorker { message });
    let mut orders = match timeout(JOINED_WITHIN, client.work(ReceiverStream::new(outgoing))).await
    {
        Ok(Ok(response)) => response.into_inner(),
        Ok(Err(status)) => return refused_or(Ending::Absent, &status),
        Err(_) => return Ending::Absent("it takes the connection, but no worker".to_owned()),
    };
    (settings.tell)(&format!(
        "joined the orchestrator at `{at}` as `{}`",
        settings.name
    ));
    for answer in steps.begin_session(answers.clone()) {
        // Without room the stream has broken, which shows next.
        let _ = answers.send(answer).await;
    }
    loop {
        let order = tokio::select! {
            order = orders.message() => order,
            () = steps.ended() => continue,
        };
        match order {
            Ok(Some(order)) if !copy.obeys(order.epoch).await => {
                return Ending::Lost("another orchestrator has taken its place".to_owned());
            }
            Ok(Some(ToWorker { message, epoch })) => match message {
                Some(Order::StartServer(order)) => {
                    steps.start_server(order, epoch, answers.clone());
                }
                Some(Order::RunClient(order)) => steps.run_client(order, epoch, answers.clone()),
                Some(Order::Accept(order)) => steps.accept(order, answers.clone()),
                Some(Order::TryConnection(order)) => steps.try_connection(order, answers.clone()),
                Some(Order::TestPaths(order)) => steps.test_paths(order, answers.clone()),
                Some(Order::Stop(order)) => steps.stop(order.step),
                Some(Order::Forget(order)) => steps.forget(order.step),
                Some(Order::Hold(order)) => {
                    let held = copy.with(move |copy| copy.hold(order)).await;
                    let message = Some(from_worker::Message::Held(held));
                    // Without room the stream has broken, which shows next.
                    let _ = answers.send(FromWorker { message }).await;
                }
                Some(Order::SendCopy(_)) => {
                    let parts = copy.with(|copy| copy.parts()).await;
                    let answers = answers.clone();
                    tokio::task::spawn_blocking(move || {
                        for part in parts {
                            let message = Some(from_worker::Message::CopyPart(part));
                            if answers.blocking_send(FromWorker { message }).is_err() {
                                return;
                            }
                        }
                    });
                }
                Some(Order::Goodbye(_)) => return Ending::Goodbye,
                None => return Ending::Refused(Malformed("message").to_string()),
            },
            Ok(None) => return Ending::Lost("it ended the stream".to_owned()),
            Err(status) => return refused_or(Ending::Lost, &status),
        }
    }
}

/// How a session ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// The run is over.
    Goodbye,
    /// Trying again will not help.
    Refused(String),
    /// It could not be reached, yet.
    Absent(String),
    /// The stream broke.
    Lost(String),
}

/// What a failed call means: a refusal, or `otherwise`.
fn refused_or(otherwise: fn(String) -> Ending, status: &Status) -> Ending {
    let said = match status.source() {
        // The transport failed, and the cause knows why.
        Some(cause) => error_chain(cause),
        None if status.message().is_empty() => status.code().description().to_owned(),
        None => status.message().to_owned(),
    };
    match status.code() {
        Code::Unauthenticated
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::Unimplemented => Ending::Refused(said),
        // With TLS 1.3 a server refuses a client's certificate only after the client's handshake.
        _ if is_refusal(&said) => Ending::Refused(said),
        _ => otherwise(said),
    }
}

/// Whether TLS refused one of the two ends, by the text of its error: the error itself is hidden
/// in those of two other crates.
fn is_refusal(text: &str) -> bool {
    ["invalid peer certificate", "received fatal alert"]
        .iter()
        .any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_an_absence() {
        let ending = |status| refused_or(Ending::Lost, &status);
        assert!(matches!(
            ending(Status::failed_precondition("v")),
            Ending::Refused(_)
        ));
        assert!(matches!(ending(Status::unavailable("v")), Ending::Lost(_)));
    }
}

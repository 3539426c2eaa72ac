//! A tool's server: until it is ready, and until it is stopped.

use std::future::pending;

use tokio::time::Instant;

use crate::tools::{Ended, How, Port, Ready, SERVER_OUTPUT_BYTES};
use crate::worker::kernel::listening;
use crate::worker::tool_process::process::{Event, Process, Stop};

/// Runs a server until it ends or `stop`; `ready` is told as soon as `sign` says that it is ready. One
/// that is not ready at the deadline is killed.
pub async fn serve<F: Future<Output = ()>>(
    argv: &[String],
    sign: Ready,
    ready_by: Instant,
    stop: &mut Stop,
    ready: impl FnOnce() -> F,
) -> Ended {
    let flow = Flow {
        signs: &[],
        tell: || std::future::ready(()),
    };
    serve_load(argv, sign, ready_by, stop, ready, flow).await
}

/// The signs that traffic arrives at a server, and what is told then. Without a sign nothing is told.
#[derive(Debug)]
pub struct Flow<'a, T> {
    pub signs: &'a [String],
    pub tell: T,
}

/// Runs the server of a load: the same, and `flow` is told once something arrives. Only a server that is ready by a line
/// has signs of it.
pub async fn serve_load<F: Future<Output = ()>, G: Future<Output = ()>>(
    argv: &[String],
    sign: Ready,
    ready_by: Instant,
    stop: &mut Stop,
    ready: impl FnOnce() -> F,
    flow: Flow<'_, impl FnOnce() -> G>,
) -> Ended {
    match sign {
        Ready::Line(text) => {
            let process = Process::start(argv, SERVER_OUTPUT_BYTES, Some(&text));
            until_stopped(process, ready_by, stop, ready, (pending(), flow)).await
        }
        Ready::Port(port) if listening::is_open(port) => Ended::silent(in_use(port)),
        Ready::Port(port) => {
            let process = Process::start(argv, SERVER_OUTPUT_BYTES, None);
            until_stopped(
                process,
                ready_by,
                stop,
                ready,
                (listening::open(port), flow),
            )
            .await
        }
        Ready::Exited => daemon(argv, ready_by, stop, ready).await,
        Ready::Nothing => {
            ready().await;
            // Ends by a message or by the sender's going away.
            let _ = stop.await;
            Ended::silent(How::Stopped)
        }
    }
}

fn in_use(port: Port) -> How {
    let Port { number, .. } = port;
    How::NotStarted(format!(
        "port {number} is in use: another program listens on it"
    ))
}

/// A server that stays in the foreground. It is ready when `sign` comes, or its process says so.
async fn until_stopped<F: Future<Output = ()>, G: Future<Output = ()>>(
    process: Result<Process, How>,
    ready_by: Instant,
    stop: &mut Stop,
    ready: impl FnOnce() -> F,
    (sign, flow): (impl Future<Output = ()>, Flow<'_, impl FnOnce() -> G>),
) -> Ended {
    let mut process = match process {
        Ok(process) => process,
        Err(how) => return Ended::silent(how),
    };
    let mut event = tokio::select! {
        biased;
        event = process.next(Some(ready_by), stop) => event,
        () = sign => Event::Ready,
    };
    if matches!(event, Event::Ready) {
        process.await_any(flow.signs);
        ready().await;
        event = process.next(None, stop).await;
        if matches!(event, Event::Ready) {
            (flow.tell)().await;
            event = process.next(None, stop).await;
        }
    }
    process.end(event).await
}

/// A server that leaves a daemon behind. What the daemon prints is not kept, and nobody sees its end;
/// the client does.
async fn daemon<F: Future<Output = ()>>(
    argv: &[String],
    ready_by: Instant,
    stop: &mut Stop,
    ready: impl FnOnce() -> F,
) -> Ended {
    let mut process = match Process::start(argv, SERVER_OUTPUT_BYTES, None) {
        Ok(process) => process,
        Err(how) => return Ended::silent(how),
    };
    let event = process.next(Some(ready_by), stop).await;
    if !matches!(&event, Event::Exited(Ok(status)) if status.success()) {
        return process.end(event).await;
    }
    ready().await;
    process.linger(stop).await;
    process.end(Event::Stopped).await
}

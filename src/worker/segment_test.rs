//! The dialling end of the orchestrator's search for black holes: full segments to all destinations of this worker.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::control::full_segment::{Way, exchange};
use super::outbox::Reply;
use super::tool_process::process::Stop;
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{LostSegment, SegmentTarget, SegmentsTested, TestSegments};

/// Destinations that are tried side by side. More could fill a slow link.
const AT_ONCE: usize = 32;
/// With this much time left no further destination is tried: the first sample waits.
const LATEST: Duration = Duration::from_secs(2);
/// No order takes longer.
const LONGEST: Duration = Duration::from_secs(10);
/// For one connection. A socket whose first packet left before the Service was known gets no answer.
const ANSWERED_WITHIN: Duration = Duration::from_millis(300);
/// The pause before a destination is dialled again.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Exchanges segments with all targets, and says which got lost.
pub(super) async fn test_segments(order: TestSegments, halt: Stop, reply: Reply) {
    let end = Instant::now() + Duration::from_millis(order.timeout_ms.into()).min(LONGEST);
    let tests = (0..).zip(order.targets).map(|(nth, target)| async move {
        let late = Instant::now() + LATEST > end;
        let address = address(&target).filter(|_| !late)?;
        let patience = Duration::from_millis(target.connect_within_ms.into());
        let exchanged = async {
            await_answer(address, patience).await;
            exchange(address).await
        };
        let exchanged = timeout_at(end, exchanged).await.ok()?;
        let lost = exchanged.into_iter().filter(|one| one.is_lost);
        let lost = lost.map(|one| LostSegment {
            target: nth,
            reverse: one.way == Way::Reverse,
            bytes: one.bytes,
        });
        Some(lost.collect::<Vec<_>>())
    });
    let all = stream::iter(tests).buffer_unordered(AT_ONCE).collect();
    let all: Vec<Option<Vec<LostSegment>>> = tokio::select! {
        all = all => all,
        _ = halt => return,
    };
    let step = order.step;
    let lost = all.into_iter().flatten().flatten().collect();
    reply
        .say(Message::SegmentsTested(SegmentsTested { step, lost }))
        .await;
}

/// Dials until somebody answers, or for so long.
async fn await_answer(address: SocketAddr, patience: Duration) {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        let connected = timeout(ANSWERED_WITHIN, TcpStream::connect(address)).await;
        if matches!(connected, Ok(Ok(_))) {
            return;
        }
        sleep(RETRY_AFTER).await;
    }
}

fn address(target: &SegmentTarget) -> Option<SocketAddr> {
    let ip: IpAddr = target.address.parse().ok()?;
    Some(SocketAddr::new(ip, u16::try_from(target.port).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_destination_that_answers_later_is_dialled_again() {
        // No other test has ports of this address.
        let own = Ipv4Addr::new(127, 83, 0, 2);
        let free = TcpListener::bind((own, 0)).await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let (refused, refusal) = tokio::sync::oneshot::channel();
        let dials = async {
            assert!(TcpStream::connect(address).await.is_err());
            refused.send(()).unwrap();
            let begun = Instant::now();
            await_answer(address, LONG).await;
            assert!(begun.elapsed() < LONG, "nothing answers");
        };
        let listens = async {
            refusal.await.unwrap();
            // Whoever dials is refused at least once before.
            tokio::task::yield_now().await;
            let listener = TcpListener::bind(address).await.unwrap();
            timeout(LONG, listener.accept()).await.unwrap().unwrap();
        };
        tokio::join!(dials, listens);
    }

    #[tokio::test]
    async fn without_patience_nothing_is_dialled() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        await_answer(listener.local_addr().unwrap(), Duration::ZERO).await;
        let accepted = futures::poll!(std::pin::pin!(listener.accept()));
        assert!(accepted.is_pending());
    }
}

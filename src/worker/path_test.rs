//! Dials the destinations of paths that start at this worker, and exchanges full TCP segments with them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout_at};

use super::control::dial::{FIRST_ANSWER_WITHIN, Segments, connect};
use super::control::full_segment::{Way, exchange};
use super::outbox::Reply;
use super::tool_process::process::Stop;
use crate::rpc::pb::dialled_address::Outcome;
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{
    DialledAddress, LostSegment, PathTarget, PathsTested, TestPaths, UnreachedTarget,
};

/// Destinations that are tried side by side. More could fill a slow link.
const AT_ONCE: usize = 32;
/// With this much time left no further destination is tried: the first sample waits.
const LATEST: Duration = Duration::from_secs(2);
/// No order takes longer.
const LONGEST: Duration = Duration::from_secs(10);
/// The pause before a destination is dialled again.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// For the pod behind a Service that does not answer.
const POD_ANSWERS_WITHIN: Duration = Duration::from_millis(1_200);

/// What became of a target.
enum Tested {
    /// It answered; these segments got lost.
    Reached(u32, Vec<LostSegment>),
    Unreached(UnreachedTarget),
}

/// Tests all targets, and says which do not answer, and which segments got lost.
pub(super) async fn test_paths(order: TestPaths, halt: Stop, reply: Reply) {
    let end = Instant::now() + Duration::from_millis(order.timeout_ms.into()).min(LONGEST);
    let patience = Duration::from_millis(order.connect_within_ms.into());
    let tests = (0..).zip(order.targets).map(|(nth, target)| async move {
        let now = Instant::now();
        if now + LATEST > end {
            return None;
        }
        let left = end.saturating_duration_since(now + POD_ANSWERS_WITHIN);
        let patience = patience.min(left);
        timeout_at(end, test(nth, &target, patience)).await.ok()?
    });
    let all = stream::iter(tests).buffer_unordered(AT_ONCE).collect();
    let all: Vec<Option<Tested>> = tokio::select! {
        all = all => all,
        _ = halt => return,
    };
    let mut answer = PathsTested {
        step: order.step,
        ..PathsTested::default()
    };
    for tested in all.into_iter().flatten() {
        match tested {
            Tested::Reached(target, lost) => {
                answer.reached.push(target);
                answer.lost.extend(lost);
            }
            Tested::Unreached(target) => answer.unreached.push(target),
        }
    }
    reply.say(Message::PathsTested(answer)).await;
}

/// `None` for a target without a valid address.
async fn test(nth: u32, target: &PathTarget, patience: Duration) -> Option<Tested> {
    let port = u16::try_from(target.port).ok()?;
    let ip: IpAddr = target.address.parse().ok()?;
    if let Err(address) = await_answer(ip, port, patience).await {
        let pod_address = match target.pod_address.parse() {
            Ok(pod) => {
                let end = Instant::now() + POD_ANSWERS_WITHIN;
                Some(connect(pod, port, end, Segments::None).await)
            }
            Err(_) => None,
        };
        return Some(Tested::Unreached(UnreachedTarget {
            target: nth,
            address: Some(address),
            pod_address,
        }));
    }
    let exchanged = exchange(SocketAddr::new(ip, port)).await;
    let lost = exchanged.into_iter().filter(|one| one.is_lost);
    let lost = lost.map(|one| LostSegment {
        target: nth,
        reverse: one.way == Way::Reverse,
        bytes: one.bytes,
    });
    Some(Tested::Reached(nth, lost.collect()))
}

/// Dials until somebody answers.
///
/// # Errors
/// What came of the attempts, when nobody did for so long.
async fn await_answer(ip: IpAddr, port: u16, patience: Duration) -> Result<(), DialledAddress> {
    let end = Instant::now() + patience;
    let mut before = None;
    loop {
        let begun = Instant::now();
        let dialled = connect(ip, port, end, Segments::None).await;
        let has_timed_out = dialled.outcome == Some(Outcome::TimedOut(true));
        if dialled.outcome == Some(Outcome::Connected(true)) {
            return Ok(());
        }
        // An attempt that the end cuts off says less than the one before.
        let is_cut = has_timed_out && begun + FIRST_ANSWER_WITHIN > end;
        let last = match before {
            Some(earlier) if is_cut => earlier,
            _ => dialled,
        };
        if Instant::now() + RETRY_AFTER >= end {
            return Err(last);
        }
        before = Some(last);
        sleep(RETRY_AFTER).await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

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
            await_answer(own.into(), address.port(), LONG)
                .await
                .unwrap();
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
    async fn a_service_without_an_answer_is_told_with_what_its_pod_answers() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Nothing listens on that port of this address.
        let target = |pod_address: &str| PathTarget {
            address: "127.83.0.3".to_owned(),
            port: port.into(),
            pod_address: pod_address.to_owned(),
        };
        for (pod, expected) in [
            ("", None),
            ("127.0.0.1", Some(Outcome::Connected(true))),
            ("127.83.0.4", Some(Outcome::Refused(true))),
        ] {
            let tested = test(7, &target(pod), Duration::from_millis(100)).await;
            let Some(Tested::Unreached(unreached)) = tested else {
                panic!("it answered");
            };
            assert_eq!(unreached.target, 7);
            let outcome = |dialled: Option<DialledAddress>| dialled.and_then(|one| one.outcome);
            assert_eq!(outcome(unreached.address), Some(Outcome::Refused(true)));
            assert_eq!(outcome(unreached.pod_address), expected, "{pod}");
        }
    }
}

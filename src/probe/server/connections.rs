//! Takes new connections and leaves it to the client to close them.

use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a connection is kept for the client to reset it. Closed sooner, it would look to the client as if the server had
/// refused it.
const KEPT: Duration = Duration::from_secs(1);
/// Connections that are kept at most: those of five clients with 200 a second, for twice the time.
const MOST: usize = 2_000;

/// Takes connections for ever.
pub(super) fn take(listener: &TcpListener) {
    let mut kept: VecDeque<(Instant, TcpStream)> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept() else {
            kept.clear();
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        kept.push_back((Instant::now(), stream));
        while kept.len() > MOST
            || kept
                .front()
                .is_some_and(|(since, _)| since.elapsed() >= KEPT)
        {
            kept.pop_front();
        }
    }
}

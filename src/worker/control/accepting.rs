//! A listener that others dial: it closes each connection as soon as anything arrives.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::rpc;

/// Open connections. One more is closed at once.
const MOST_CONNECTIONS: usize = 256;
/// For the first bytes of a connection.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// The pause after an accept that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on a port of every address for so long.
pub(super) async fn listen(port: u16, duration: Duration) -> io::Result<()> {
    let listener = listener(port).await?;
    tokio::spawn(serve(listener, Instant::now() + duration));
    Ok(())
}

/// A listener on a port of every address.
pub(in crate::worker) async fn listener(port: u16) -> io::Result<TcpListener> {
    rpc::listen(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await
}

/// Accepts connections until `end`.
pub(in crate::worker) async fn serve(listener: TcpListener, end: Instant) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sleep_until(end) => return,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) if connections.len() < MOST_CONNECTIONS => {
                connections.spawn(close_after_first_bytes(stream));
            }
            Ok(_) => {}
            // No file descriptor or no memory is left.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn close_after_first_bytes(mut stream: TcpStream) {
    let _ = timeout(READ_WITHIN, stream.read(&mut [0])).await;
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_after_its_first_bytes_and_the_listener_in_time() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ends, end) = (Instant::now() + Duration::from_secs(3600), Instant::now());
        let serving = tokio::spawn(serve(listener, ends));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[0; 3]).await.unwrap();
        // A reset is an end, too.
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        serving.abort();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        serve(listener, end).await;
    }
}

//! A listener that others dial: it exchanges full segments with those that ask for it, and closes other connections as soon as
//! anything arrives.

use std::future::Future;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::full_segment;
use crate::rpc;

/// Open connections. One more is closed at once.
const MOST_CONNECTIONS: usize = 256;
/// For a connection.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// The pause after an accept that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on a port of every address for so long.
pub(super) async fn listen(port: u16, duration: Duration) -> io::Result<()> {
    let listener = listener(port).await?;
    tokio::spawn(serve(listener, sleep_until(Instant::now() + duration)));
    Ok(())
}

/// A listener on a port of every address.
pub(in crate::worker) async fn listener(port: u16) -> io::Result<TcpListener> {
    rpc::listen(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await
}

/// Accepts connections until `end`. The port is free then.
pub(in crate::worker) async fn serve(listener: TcpListener, end: impl Future<Output = ()>) {
    let mut connections = JoinSet::new();
    tokio::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                // A connection that this end closes leaves nothing behind that would keep a tool from listening on the
                // port. It may be closed before its task has begun.
                let leaves_nothing = stream.set_zero_linger().is_ok();
                if leaves_nothing && connections.len() < MOST_CONNECTIONS {
                    connections.spawn(answer(stream));
                }
            }
            // No file descriptor or no memory is left.
            Err(_) => sleep(PAUSE).await,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn answer(mut stream: TcpStream) {
    let _ = timeout(ANSWERED_WITHIN, full_segment::answer(&mut stream)).await;
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, socket};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_after_its_first_bytes_and_the_listener_in_time() {
        // No other test has ports of this address.
        let own = Ipv4Addr::new(127, 83, 0, 1);
        let listener = TcpListener::bind((own, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, async move { drop(ended.await) }));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[0; 3]).await.unwrap();
        // A reset is an end, too.
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
        // One that has not been answered does not keep the port either.
        let _open = TcpStream::connect(address).await.unwrap();
        drop(end);
        serving.await.unwrap();
        // A tool may bind it without SO_REUSEADDR.
        let (family, kind) = (AddressFamily::Inet, SockType::Stream);
        let tool = socket(family, kind, SockFlag::empty(), None).unwrap();
        let SocketAddr::V4(address) = address else {
            panic!("{address}")
        };
        bind(tool.as_raw_fd(), &SockaddrIn::from(address)).unwrap();
    }
}

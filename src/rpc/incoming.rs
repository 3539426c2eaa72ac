//! A server's incoming connections. Everyone who reaches the port may open some, so their number
//! is bounded until they have shown a certificate of the run, and bounded afterwards.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::tls::{TlsError, acceptor};
use super::{Identity, Peer};

/// Connections that have not finished their handshake. One more ends the oldest of them: a member of
/// the run finishes within milliseconds, an idle connection never does.
pub const MAX_HANDSHAKES: usize = 128;
/// Connections that one certificate may have at a time. A worker needs one, a command line one for each
/// command that runs.
pub const MAX_CONNECTIONS_PER_PEER: usize = 32;
/// How long a handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The pause after an accept that failed for lack of file descriptors or memory.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections that the server has not taken yet.
const ACCEPTED: usize = 16;

/// The connections of a listener, after their handshake. The listener closes when the stream is dropped.
///
/// Must be called within a Tokio runtime.
///
/// # Errors
/// When the identity's certificate, key or CA cannot be used.
pub fn incoming(
    listener: TcpListener,
    identity: &Identity,
) -> Result<ReceiverStream<io::Result<Connection>>, TlsError> {
    let acceptor = acceptor(identity)?;
    let (accepted, stream) = mpsc::channel(ACCEPTED);
    let members = Members::default();
    tokio::spawn(accept(
        listener,
        acceptor,
        accepted,
        HANDSHAKE_WITHIN,
        members,
    ));
    Ok(ReceiverStream::new(stream))
}

type Accepted = mpsc::Sender<io::Result<Connection>>;

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    accepted: Accepted,
    handshake_within: Duration,
    members: Members,
) {
    let mut handshakes = JoinSet::new();
    let mut pending: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let result = tokio::select! {
            () = accepted.closed() => return,
            result = listener.accept() => result,
        };
        while handshakes.try_join_next().is_some() {}
        pending.retain(|handshake| !handshake.is_finished());
        match result {
            Ok((stream, address)) => {
                if pending.len() >= MAX_HANDSHAKES
                    && let Some(oldest) = pending.pop_front()
                {
                    oldest.abort();
                }
                let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
                let members = members.clone();
                pending.push_back(handshakes.spawn(async move {
                    let shaken = handshake(stream, address, &acceptor, &members);
                    let connection = timeout(handshake_within, shaken).await.ok().flatten();
                    if let Some(connection) = connection {
                        // A task of its own: a finished handshake must not make room for others
                        // while the server is busy. `Members` bounds how many wait.
                        tokio::spawn(async move {
                            // An error means that the server has ended.
                            let _ = accepted.send(Ok(connection)).await;
                        });
                    }
                }));
            }
            // It ended before it was accepted; the next one is another.
            Err(error) if is_of_one_connection(&error) => {}
            // No file descriptor or no memory is left: idle connections make room.
            Err(_) => {
                if let Some(oldest) = pending.pop_front() {
                    oldest.abort();
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether an accept failed because of the one connection that it would have accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// `None` when the handshake fails, or the peer has too many connections.
async fn handshake(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: &TlsAcceptor,
    members: &Members,
) -> Option<Connection> {
    // Orders are small, and a sample waits for them.
    let _ = stream.set_nodelay(true);
    let stream = acceptor.accept(stream).await.ok()?;
    let certificate = stream.get_ref().1.peer_certificates()?.first()?.clone();
    let membership = members.admit(certificate.to_vec())?;
    Some(Connection {
        stream: Box::new(stream),
        peer: Peer::new(certificate.into_owned(), address),
        _membership: membership,
    })
}

/// How many connections each certificate has.
#[derive(Clone, Debug, Default)]
struct Members(Arc<Mutex<HashMap<Vec<u8>, usize>>>);

impl Members {
    /// `None` when this certificate has as many connections as it may.
    fn admit(&self, certificate: Vec<u8>) -> Option<Membership> {
        let mut counts = self.lock();
        let count = counts.entry(certificate.clone()).or_default();
        if *count >= MAX_CONNECTIONS_PER_PEER {
            return None;
        }
        *count += 1;
        Some(Membership {
            members: self.clone(),
            certificate,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of a certificate; dropping it makes room for another.
#[derive(Debug)]
struct Membership {
    members: Members,
    certificate: Vec<u8>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut counts = self.members.lock();
        if let Some(count) = counts.get_mut(&self.certificate) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.certificate);
            }
        }
    }
}

/// A connection of a member of the run.
#[derive(Debug)]
pub struct Connection {
    stream: Box<TlsStream<TcpStream>>,
    peer: Peer,
    _membership: Membership,
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::rpc::RunIdentities;
    use crate::rpc::identity::orchestrator_name;
    use crate::rpc::tls::Connector;

    /// A listener whose handshakes may take so long, and connections that never begin theirs.
    async fn idle(
        count: usize,
        within: Duration,
    ) -> (Vec<TcpStream>, mpsc::Receiver<io::Result<Connection>>) {
        let run = RunIdentities::issue("r1", &[]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = mpsc::channel(ACCEPTED);
        let acceptor = acceptor(&run.orchestrator).unwrap();
        tokio::spawn(accept(
            listener,
            acceptor,
            sender,
            within,
            Members::default(),
        ));
        let mut idle = Vec::new();
        for _ in 0..count {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        (idle, receiver)
    }

    async fn is_closed(stream: &mut TcpStream) {
        let read = timeout(Duration::from_secs(60), stream.read(&mut [0])).await;
        assert!(matches!(read.unwrap(), Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn the_oldest_unfinished_handshakes_make_room() {
        let hour = Duration::from_secs(3600);
        let (mut idle, _receiver) = idle(MAX_HANDSHAKES + 2, hour).await;
        is_closed(&mut idle[0]).await;
        is_closed(&mut idle[1]).await;
        for stream in &idle[2..] {
            let read = stream.try_read(&mut [0]);
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[tokio::test]
    async fn a_finished_handshake_waits_for_the_server_and_makes_no_room_for_others() {
        let run = RunIdentities::issue("r1", &[]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = acceptor(&run.orchestrator).unwrap();
        let connector = Connector::new(&run.client, orchestrator_name()).unwrap();
        let members = Members::default();
        let hour = Duration::from_secs(3600);
        // Room for one connection that the server has not taken.
        let (sender, mut receiver) = mpsc::channel(1);
        tokio::spawn(accept(listener, acceptor, sender, hour, members.clone()));
        let mut clients = Vec::new();
        for _ in 0..2 {
            let stream = TcpStream::connect(address).await.unwrap();
            clients.push(connector.connect(stream).await.unwrap());
        }
        let admitted = || members.lock().values().sum::<usize>();
        while admitted() < clients.len() {
            tokio::task::yield_now().await;
        }
        // Each takes the place of the oldest unfinished handshake.
        let mut idle = Vec::new();
        for _ in 0..=MAX_HANDSHAKES {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        is_closed(&mut idle[0]).await;
        for _ in &clients {
            assert!(receiver.recv().await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn a_handshake_has_a_deadline() {
        let (mut idle, _receiver) = idle(1, Duration::from_millis(50)).await;
        is_closed(&mut idle[0]).await;
    }

    #[test]
    fn a_certificate_has_a_bounded_number_of_connections() {
        let members = Members::default();
        let admit = |name: &str| members.admit(name.as_bytes().to_vec());
        let mut held: Vec<_> = (0..MAX_CONNECTIONS_PER_PEER)
            .map(|_| admit("w1").unwrap())
            .collect();
        assert!(admit("w1").is_none());
        assert!(admit("w2").is_some());
        held.pop();
        assert!(admit("w1").is_some());
        drop(held);
        assert!(members.lock().is_empty());
    }
}

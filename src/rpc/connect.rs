//! Connects to the orchestrator, by address or over a stream that a cluster gives, and to a worker over
//! such a stream.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use super::identity::{orchestrator_name, worker_name};
use super::pb::orchestrator_client::OrchestratorClient;
use super::pb::worker_control_client::WorkerControlClient;
use super::tls::Connector;
use super::{Identity, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_MESSAGE_BYTES};
use crate::diag::error_chain;

/// For a connection and its TLS handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For a name server's answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(6);
/// For each try of a TCP connection.
const TRIES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Calls the orchestrator; clones share the connection.
pub type Client = OrchestratorClient<Channel>;

/// Calls a worker; clones share the connection.
pub type WorkerClient = WorkerControlClient<Channel>;

/// The other end could not be reached. With TLS 1.3 a refused certificate often shows only in
/// the first call, not here.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {to}: {why}")]
pub struct ConnectError {
    /// The other end, e.g. "the orchestrator at `10.0.0.1:5202`".
    pub to: String,
    pub why: String,
}

/// Connects to `address` (`host:port`).
///
/// # Errors
/// When nothing answers there within 10 s, or it is not this run's orchestrator.
pub async fn connect(address: &str, identity: &Identity) -> Result<Client, ConnectError> {
    let failed = |why: String| ConnectError {
        to: format!("the orchestrator at `{address}`"),
        why,
    };
    let connector =
        Connector::new(identity, orchestrator_name()).map_err(|error| failed(error.to_string()))?;
    let at: Arc<str> = address.into();
    let dial = tower::service_fn(move |_| {
        let (connector, at) = (connector.clone(), Arc::clone(&at));
        async move {
            let stream = dial(&at).await?;
            // Answers are small, and the next sample waits for them.
            stream.set_nodelay(true)?;
            connector.connect(stream).await.map(TokioIo::new)
        }
    });
    let endpoint = endpoint(address).map_err(|error| failed(error_chain(&error)))?;
    let channel = endpoint.connect_with_connector(dial).await;
    let channel = channel.map_err(|error| failed(error_chain(&error)))?;
    Ok(client(channel))
}

/// Opens a TCP connection, with a new socket after each try that takes too long: a SYN that leaves before
/// kube-proxy knows the Service makes a connection-tracking entry without translation, which all
/// retransmissions of that SYN match.
async fn dial(at: &str) -> io::Result<TcpStream> {
    let resolved = timeout(RESOLVE_TIMEOUT, lookup_host(at)).await;
    let addresses: Vec<SocketAddr> = resolved
        .map_err(|_| {
            silent(format!(
                "DNS does not answer within {} s",
                RESOLVE_TIMEOUT.as_secs()
            ))
        })?
        .map_err(|error| io::Error::new(error.kind(), format!("cannot resolve the name: {error}")))?
        .collect();
    connect_to_any(&addresses).await
}

/// Connects to the first of the addresses that takes the connection. The error names all of them.
async fn connect_to_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut errors: Vec<io::Error> = Vec::new();
    for patience in TRIES {
        errors.clear();
        for address in addresses {
            errors.push(match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => io::Error::new(error.kind(), format!("{address}: {error}")),
                Err(_) => {
                    let time = TRIES.iter().sum::<Duration>().as_secs_f64();
                    silent(format!("{address} does not answer within {time} s"))
                }
            });
        }
        // Where all refuse, the next try is up to the caller.
        if !errors.iter().any(is_timeout) {
            break;
        }
    }
    let Some(first) = errors.first() else {
        let why = "the name has no address";
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    };
    let kind = errors.iter().find(|one| is_timeout(one)).unwrap_or(first);
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Err(io::Error::new(kind.kind(), texts.join("; ")))
}

fn silent(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// Connects over a stream that already leads to the orchestrator. The client ends with the stream.
///
/// # Errors
/// When the stream breaks or the other end is not this run's orchestrator.
pub async fn connect_over<IO>(io: IO, identity: &Identity) -> Result<Client, ConnectError>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let name = orchestrator_name();
    let to = format!("the orchestrator at `{name}`");
    Ok(client(channel_over(io, identity, name, to).await?))
}

/// Connects over a stream that already leads to the control port of a worker's pod. The client ends with
/// the stream.
///
/// # Errors
/// When the stream breaks or the other end is not this run's worker of that name.
pub async fn connect_worker_over<IO>(
    io: IO,
    identity: &Identity,
    worker: &str,
) -> Result<WorkerClient, ConnectError>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let to = format!("worker `{worker}`");
    let channel = channel_over(io, identity, worker_name(worker), to).await?;
    Ok(WorkerControlClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES))
}

/// A channel over one stream, whose other end must have a certificate of this name. `to` is the other end
/// in errors.
async fn channel_over<IO>(
    io: IO,
    identity: &Identity,
    name: String,
    to: String,
) -> Result<Channel, ConnectError>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let failed = |why: String| ConnectError {
        to: to.clone(),
        why,
    };
    let connector =
        Connector::new(identity, name.clone()).map_err(|error| failed(error.to_string()))?;
    let once = Arc::new(Mutex::new(Some(io)));
    let dial = tower::service_fn(move |_| {
        let connector = connector.clone();
        let io = once.lock().ok().and_then(|mut io| io.take());
        async move {
            let io = io.ok_or_else(|| io::Error::other("the stream to it has closed"))?;
            connector.connect(io).await.map(TokioIo::new)
        }
    });
    let endpoint = endpoint(&name).map_err(|error| failed(error_chain(&error)))?;
    let channel = endpoint.connect_with_connector(dial).await;
    channel.map_err(|error| failed(error_chain(&error)))
}

/// The endpoint at `authority` (`host:port`). The connector does TLS, so the scheme does not
/// name it.
fn endpoint(authority: &str) -> Result<Endpoint, tonic::transport::Error> {
    Ok(Endpoint::from_shared(format!("http://{authority}"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

fn client(channel: Channel) -> Client {
    OrchestratorClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_error_names_every_address() {
        let listen = |last| TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), 0));
        // Nobody listens there once they are dropped.
        let listeners = [listen(1).await.unwrap(), listen(2).await.unwrap()];
        let addresses = listeners.map(|listener| listener.local_addr().unwrap());
        let error = connect_to_any(&addresses).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        for address in addresses {
            assert!(error.to_string().contains(&address.to_string()), "{error}");
        }
        let error = connect_to_any(&[]).await.unwrap_err();
        assert!(error.to_string().contains("no address"), "{error}");
    }
}

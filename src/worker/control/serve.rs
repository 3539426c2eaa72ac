//! The listener that the command line reaches by port-forward.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use futures::stream;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::service::Service;
use crate::rpc::pb::worker_control_server::WorkerControlServer;
use crate::rpc::{self, Identity, MAX_MESSAGE_BYTES};
use crate::worker::shared_copy::SharedCopy;

/// Listens on the first free one of the ports, on both loopback addresses, and answers the command line. Dropping
/// the result ends it.
///
/// # Errors
/// When all ports are in use, e.g. by workers on the same host network, or the certificates cannot be used.
pub(in crate::worker) async fn serve(
    ports: RangeInclusive<u16>,
    identity: &Identity,
    copy: SharedCopy,
) -> io::Result<JoinSet<()>> {
    let mut failed = io::Error::other("there are no ports");
    for port in ports {
        match bind(port).await {
            Ok(listeners) => return answer(listeners, identity, copy),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The listeners on both loopback addresses; on one, if the machine has the other family switched off.
async fn bind(port: u16) -> io::Result<Vec<TcpListener>> {
    let in_use = |found: &io::Result<TcpListener>| {
        found
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    };
    let ipv4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await;
    match (ipv4, ipv6) {
        // Half a port would lead the command line to somebody else.
        (ipv4, Ok(_)) if in_use(&ipv4) => ipv4.map(|_| Vec::new()),
        (Ok(_), ipv6) if in_use(&ipv6) => ipv6.map(|_| Vec::new()),
        (Err(error), Err(_)) => Err(error),
        (ipv4, ipv6) => Ok(ipv4.into_iter().chain(ipv6).collect()),
    }
}

fn answer(
    listeners: impl IntoIterator<Item = TcpListener>,
    identity: &Identity,
    copy: SharedCopy,
) -> io::Result<JoinSet<()>> {
    let mut incoming = Vec::new();
    for listener in listeners {
        incoming.push(rpc::incoming(listener, identity).map_err(io::Error::other)?);
    }
    let service =
        WorkerControlServer::new(Service { copy }).max_encoding_message_size(MAX_MESSAGE_BYTES);
    let router = rpc::server().add_service(service);
    let mut server = JoinSet::new();
    server.spawn(async move {
        // A server that fails shows as a broken connection.
        let _ = router
            .serve_with_incoming(stream::select_all(incoming))
            .await;
    });
    Ok(server)
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::net::SocketAddr;

    use tokio::net::TcpStream;
    use tonic::Code;

    use super::*;
    use crate::rpc::pb::{DialRequest, DialResponse};
    use crate::rpc::{RunIdentities, connect_over, connect_worker_over};

    /// Asks worker `w1` to dial `hosts`.
    async fn ask(
        at: SocketAddr,
        identity: &Identity,
        hosts: Vec<String>,
    ) -> Result<DialResponse, String> {
        let stream = TcpStream::connect(at).await.unwrap();
        let client = connect_worker_over(stream, identity, "w1").await;
        let mut client = client.map_err(|error| error.to_string())?;
        let request = DialRequest {
            hosts,
            port: at.port().into(),
            timeout_ms: 5_000,
            send_segment: false,
            exchange_segments: false,
        };
        let answer = client.dial(request).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| match status.code() {
                Code::PermissionDenied => "denied".to_owned(),
                Code::InvalidArgument => "invalid".to_owned(),
                _ => status.to_string(),
            })
    }

    #[tokio::test]
    async fn only_the_command_line_of_the_run_is_answered() {
        let run = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
        let other = RunIdentities::issue("r2", &["w1"]).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let _server = answer(iter::once(listener), &run.workers[0], SharedCopy::default()).unwrap();
        let itself = vec!["127.0.0.1".to_owned()];

        let answer = ask(at, &run.client, itself.clone()).await.unwrap();
        assert_eq!(answer.hosts[0].addresses[0].address, "127.0.0.1");
        for worker in &run.workers {
            let refused = ask(at, worker, itself.clone()).await;
            assert_eq!(refused.unwrap_err(), "denied", "{}", worker.role);
        }
        assert!(ask(at, &run.orchestrator, itself.clone()).await.is_err());
        assert!(ask(at, &other.client, itself.clone()).await.is_err());
        let many = ask(at, &run.client, vec!["127.0.0.1".to_owned(); 17]).await;
        assert_eq!(many.unwrap_err(), "invalid");
        let long = ask(at, &run.client, vec!["a".repeat(256)]).await;
        assert_eq!(long.unwrap_err(), "invalid");
    }

    #[tokio::test]
    async fn a_worker_passes_neither_for_another_one_nor_for_the_orchestrator() {
        let run = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let _server = answer(iter::once(listener), &run.workers[1], SharedCopy::default()).unwrap();
        assert!(ask(at, &run.client, Vec::new()).await.is_err());
        let stream = TcpStream::connect(at).await.unwrap();
        assert!(connect_over(stream, &run.client).await.is_err());
    }

    #[tokio::test]
    async fn workers_on_one_network_have_a_port_each() {
        let run = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let first = free.local_addr().unwrap().port().min(u16::MAX - 20);
        drop(free);
        // Tests beside this one may have some of them.
        let ports = first..=first + 20;
        let mut servers = Vec::new();
        for identity in &run.workers {
            let copy = SharedCopy::default();
            servers.push(serve(ports.clone(), identity, copy).await.unwrap());
        }
        let mut found = Vec::new();
        for worker in ["w1", "w2"] {
            for port in ports.clone() {
                let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                    continue;
                };
                if connect_worker_over(stream, &run.client, worker)
                    .await
                    .is_ok()
                {
                    found.push((worker, port));
                }
            }
        }
        assert!(
            matches!(found[..], [("w1", one), ("w2", two)] if one != two),
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn the_listener_ends_with_its_server() {
        let run = RunIdentities::issue("r1", &["w1"]).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut server =
            answer(iter::once(listener), &run.workers[0], SharedCopy::default()).unwrap();
        assert!(ask(at, &run.client, Vec::new()).await.is_ok());
        server.shutdown().await;
        assert!(is_silent(at, &run.client).await, "nothing answers any more");
    }

    /// Whether nothing answers at this address.
    async fn is_silent(at: SocketAddr, identity: &Identity) -> bool {
        let Ok(stream) = TcpStream::connect(at).await else {
            return true;
        };
        connect_worker_over(stream, identity, "w1").await.is_err()
    }
}

//! The listener that the command line reaches by port-forward.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use futures::stream;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::service::Service;
use crate::rpc::pb::worker_control_server::WorkerControlServer;
use crate::rpc::{self, Identity, MAX_MESSAGE_BYTES};
use crate::worker::journal_copy::SharedCopy;

/// Listens on both loopback addresses and answers the command line. Dropping the result ends it.
///
/// # Errors
/// When neither address can be bound, e.g. because another worker on the same host network has the port,
/// or the certificates cannot be used.
pub(in crate::worker) async fn serve(
    port: u16,
    identity: &Identity,
    copy: SharedCopy,
) -> io::Result<JoinSet<()>> {
    // A machine may have one family switched off.
    let ipv4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await;
    match (ipv4, ipv6) {
        (Err(error), Err(_)) => Err(error),
        (ipv4, ipv6) => answer(ipv4.into_iter().chain(ipv6), identity, copy),
    }
}

fn answer(
    listeners: impl Iterator<Item = TcpListener>,
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

//! The calls of the command line: who may make them, and their bounds.

use std::time::Duration;

use futures::future::join_all;
use tonic::{Request, Response, Status};

use super::dial::dial;
use super::name_servers::name_servers;
use crate::rpc::pb::worker_control_server::WorkerControl;
use crate::rpc::pb::{DialRequest, DialResponse};
use crate::rpc::{Peer, with_version};

/// Hosts of one request.
const MOST_HOSTS: usize = 16;
/// The longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 255;
/// For one host.
const LONGEST_DIAL: Duration = Duration::from_secs(10);

/// The service; it has no state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service;

#[tonic::async_trait]
impl WorkerControl for Service {
    async fn dial(&self, request: Request<DialRequest>) -> Result<Response<DialResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let DialRequest {
            hosts,
            port,
            timeout_ms,
            send_segment,
        } = request.into_inner();
        let is_long = hosts.iter().any(|host| host.len() > LONGEST_HOST);
        if hosts.len() > MOST_HOSTS || is_long {
            let text = format!("at most {MOST_HOSTS} hosts of {LONGEST_HOST} characters each");
            return Err(Status::invalid_argument(text));
        }
        let Ok(port @ 1..) = u16::try_from(port) else {
            return Err(Status::invalid_argument("a port is 1 to 65535"));
        };
        let within = Duration::from_millis(timeout_ms.into()).min(LONGEST_DIAL);
        let hosts = join_all(
            hosts
                .iter()
                .map(|host| dial(host, port, within, send_segment)),
        )
        .await;
        Ok(with_version(Response::new(DialResponse {
            hosts,
            name_servers: name_servers(),
        })))
    }
}

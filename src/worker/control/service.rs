//! The calls of the command line: who may make them, and their bounds.

use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::accepting::listen;
use super::dial::{Segments, dial};
use super::name_servers::name_servers;
use crate::rpc::pb::worker_control_server::WorkerControl;
use crate::rpc::pb::{
    CopyCollectedRequest, CopyCollectedResponse, DescribeCopyRequest, DescribeCopyResponse,
    DialRequest, DialResponse, ListenRequest, ListenResponse, ReadCopyRequest, Record,
};
use crate::rpc::{Peer, with_version};
use crate::worker::shared_copy::SharedCopy;

/// Hosts of one request.
const MOST_HOSTS: usize = 16;
/// The longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 255;
/// For one host.
const LONGEST_DIAL: Duration = Duration::from_secs(10);

/// For one listener.
const LONGEST_LISTEN: Duration = Duration::from_secs(60);
/// Records of the copy that the command line has not taken yet.
const RECORDS: usize = 1;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub copy: SharedCopy,
}

#[tonic::async_trait]
impl WorkerControl for Service {
    type ReadCopyStream = ReceiverStream<Result<Record, Status>>;

    async fn describe_copy(
        &self,
        request: Request<DescribeCopyRequest>,
    ) -> Result<Response<DescribeCopyResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let copy = self.copy.with(|copy| copy.describe()).await;
        Ok(with_version(Response::new(DescribeCopyResponse { copy })))
    }

    async fn read_copy(
        &self,
        request: Request<ReadCopyRequest>,
    ) -> Result<Response<Self::ReadCopyStream>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let from = request.into_inner().from_seq;
        let records = self.copy.with(move |copy| copy.records(from)).await;
        let records = records.map_err(|error| Status::out_of_range(error.to_string()))?;
        let (out, stream) = mpsc::channel(RECORDS);
        tokio::task::spawn_blocking(move || {
            for record in records {
                let record = record.map_err(|error| Status::data_loss(error.to_string()));
                if out.blocking_send(record).is_err() {
                    return;
                }
            }
        });
        Ok(with_version(Response::new(ReceiverStream::new(stream))))
    }

    async fn copy_collected(
        &self,
        request: Request<CopyCollectedRequest>,
    ) -> Result<Response<CopyCollectedResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let through_seq = request.into_inner().through_seq;
        self.copy.set_collected(through_seq).await;
        Ok(Response::new(CopyCollectedResponse {}))
    }

    async fn dial(&self, request: Request<DialRequest>) -> Result<Response<DialResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let DialRequest {
            hosts,
            port,
            timeout_ms,
            send_segment,
            exchange_segments,
        } = request.into_inner();
        let is_long = hosts.iter().any(|host| host.len() > LONGEST_HOST);
        if hosts.len() > MOST_HOSTS || is_long {
            let text = format!("at most {MOST_HOSTS} hosts of {LONGEST_HOST} characters each");
            return Err(Status::invalid_argument(text));
        }
        let port = port_from(port)?;
        let within = Duration::from_millis(timeout_ms.into()).min(LONGEST_DIAL);
        let segments = match (exchange_segments, send_segment) {
            (true, _) => Segments::Exchange,
            (false, true) => Segments::Send,
            (false, false) => Segments::None,
        };
        let dialled = hosts.iter().map(|host| dial(host, port, within, segments));
        let hosts = join_all(dialled).await;
        Ok(with_version(Response::new(DialResponse {
            hosts,
            name_servers: name_servers(),
        })))
    }

    async fn listen(
        &self,
        request: Request<ListenRequest>,
    ) -> Result<Response<ListenResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let ListenRequest { port, duration_ms } = request.into_inner();
        let port = port_from(port)?;
        let duration = Duration::from_millis(duration_ms.into()).min(LONGEST_LISTEN);
        let listening = listen(port, duration).await;
        listening.map_err(|error| {
            Status::failed_precondition(format!("cannot listen on port {port}: {error}"))
        })?;
        Ok(with_version(Response::new(ListenResponse {})))
    }
}

fn port_from(number: u32) -> Result<u16, Status> {
    match u16::try_from(number) {
        Ok(port @ 1..) => Ok(port),
        _ => Err(Status::invalid_argument("a port is 1 to 65535")),
    }
}

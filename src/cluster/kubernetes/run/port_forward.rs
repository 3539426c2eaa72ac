//! Connects to a port of a pod, through the API server's port-forward.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use tokio::io::DuplexStream;
use tokio::time::Instant;

use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::{cause, code};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::labels::selector;
use crate::cluster::kubernetes::pods::status::{containers, current_pod, is_leaving, phase};

/// A port where nothing listens says so within this; a port that is open says nothing.
const REFUSED_WITHIN: Duration = Duration::from_millis(250);
/// Nothing announces a listener; this is how often one is looked for.
const AGAIN: Duration = Duration::from_millis(300);

/// Why there is no stream.
enum NoStream {
    /// It may come.
    Retry(String),
    Final(String),
}

/// The pod that goes by a rendered name now.
pub async fn find_pod(
    connection: &Connection,
    namespace: &str,
    run: &str,
    name: &str,
) -> kube::Result<Option<Pod>> {
    let api: Api<Pod> = Api::namespaced(connection.client.clone(), namespace);
    let list = ListParams::default().labels(&selector(run));
    let pods = connection.ask(api.list(&list)).await?;
    Ok(current_pod(&pods.items, name).cloned())
}

/// Connects to a port of a pod; waits for the pod and its listener.
pub async fn connect(
    connection: &Connection,
    namespace: &str,
    run: &str,
    name: &str,
    port: u16,
    within: Duration,
) -> Result<DuplexStream, Error> {
    let deadline = Instant::now() + within;
    let cannot = |why: String| Error::Connect {
        pod: name.to_owned(),
        port,
        why,
    };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let tried = tokio::time::timeout(
            left.max(REFUSED_WITHIN),
            try_once(connection, namespace, run, name, port),
        );
        let why = match tried.await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(NoStream::Final(why))) => return Err(cannot(why)),
            Ok(Err(NoStream::Retry(why))) => why,
            Err(_) => return Err(cannot("the API server does not answer".to_owned())),
        };
        if Instant::now() + AGAIN >= deadline {
            return Err(cannot(why));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn try_once(
    connection: &Connection,
    namespace: &str,
    run: &str,
    name: &str,
    port: u16,
) -> Result<DuplexStream, NoStream> {
    let refused = |error: kube::Error| match code(&error) {
        Some(401 | 403) => NoStream::Final(cause(&error)),
        _ => NoStream::Retry(cause(&error)),
    };
    let pod = find_pod(connection, namespace, run, name)
        .await
        .map_err(refused)?;
    let Some(pod) = pod else {
        return Err(NoStream::Retry("the pod does not exist".to_owned()));
    };
    match phase(&pod) {
        "Succeeded" => return Err(NoStream::Final("the pod has ended".to_owned())),
        // A Job may make another one.
        "Failed" => return Err(NoStream::Retry("the pod has failed".to_owned())),
        _ => {}
    }
    let runs = containers(&pod).any(|container| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.running.is_some())
    });
    if !runs || is_leaving(&pod) {
        return Err(NoStream::Retry(
            "the pod's process is not running".to_owned(),
        ));
    }
    let own_name = pod.metadata.name.unwrap_or_default();
    let api: Api<Pod> = Api::namespaced(connection.client.clone(), namespace);
    let ports = [port];
    let forward = api.portforward(&own_name, &ports).await;
    let mut forward = forward.map_err(|error| match error {
        kube::Error::UpgradeConnection(ref upgrade) => {
            let message = crate::diag::error_chain(upgrade);
            if message.contains("403") || message.contains("401") {
                NoStream::Final(format!("the port-forward is not allowed: {message}"))
            } else {
                NoStream::Retry(message)
            }
        }
        error => refused(error),
    })?;
    let stream = forward.take_stream(port);
    if let Some(error) = forward.take_error(port)
        && let Ok(said) = tokio::time::timeout(REFUSED_WITHIN, error).await
    {
        let said = said.unwrap_or_else(|| "the connection was closed".to_owned());
        return Err(NoStream::Retry(said.trim().to_owned()));
    }
    stream.ok_or_else(|| NoStream::Retry("no stream was opened".to_owned()))
}

//! What recorded documents say of the workers.

use crate::results::{JoinedWorker, WorkerEnvironment};
use crate::tools::Recording;

/// The workers of an imported plan: the ends of iperf3.
pub(super) const CLIENT: &str = "client";
pub(super) const SERVER: &str = "server";

/// What all documents agree on about the client: its node, kernel and iperf3. Of the server they say nothing; what is
/// unknown is empty. `None` when they do not name one node.
pub(super) fn client(recordings: &[&Recording]) -> Option<JoinedWorker> {
    let uname = agreed(recordings, |recording| &recording.system);
    // `Linux NODE RELEASE VERSION … ARCHITECTURE`
    let mut words = uname.split_whitespace();
    let kernel_name = words.next();
    let (node, kernel) = (words.next()?, words.next()?);
    let mut environment = WorkerEnvironment {
        kernel: kernel.to_owned(),
        os: kernel_name.unwrap_or_default().to_owned(),
        architecture: words.next_back().unwrap_or_default().to_owned(),
        congestion_control: agreed(recordings, |recording| &recording.congestion).to_owned(),
        ..WorkerEnvironment::default()
    };
    let version = agreed(recordings, |recording| &recording.version);
    if !version.is_empty() {
        environment
            .tools
            .insert("iperf3".to_owned(), version.to_owned());
    }
    Some(JoinedWorker {
        node: node.to_owned(),
        pod_ip: agreed(recordings, |recording| &recording.address).to_owned(),
        cluster_ip: None,
        environment,
    })
}

/// The text of all recordings that have one; empty where two differ.
fn agreed<'a>(recordings: &[&'a Recording], text: impl Fn(&'a Recording) -> &'a String) -> &'a str {
    let texts = recordings.iter().map(|recording| text(recording).as_str());
    let mut texts = texts.filter(|text| !text.is_empty());
    let first = texts.next().unwrap_or_default();
    if texts.all(|text| text == first) {
        first
    } else {
        ""
    }
}

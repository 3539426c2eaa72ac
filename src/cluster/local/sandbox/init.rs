//! Pid 1 of the namespaces: prepares them and serves the command line until its socket closes.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{sethostname, setsid};

use super::faults::switchboard::Faults;
use super::mounts::{
    STATE, cover_run, make_dir, make_private, mount_new, place_program, resolved, write,
};
use super::pods::kubelet::Kubelet;
use super::pods::{capture, connect};
use super::reporting::{send_hello, socket};
use super::threads::detach;
use super::{etc, netns};
use crate::cluster::Error;
use crate::cluster::local::ipc::framing::{Receiver, Sender};
use crate::cluster::local::ipc::messages::{Answer, Call, Message, Request};

/// Stage `init`.
pub fn run() -> ExitCode {
    match prepare() {
        Ok((sender, receiver, kubelet)) => serve(&sender, receiver, kubelet),
        Err(error) => {
            send_hello(Err(error));
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<(Arc<Sender>, Receiver, Kubelet), Error> {
    let socket = socket().map_err(|error| Error::system("find the socket", error))?;
    let sending = socket
        .try_clone()
        .map_err(|error| Error::system("share the socket", error))?;
    // None of these can keep the cluster from working.
    let _ = set_pdeathsig(Signal::SIGKILL);
    let _ = setsid();
    let _ = sethostname("netplan");
    make_private()?;
    let resolv_conf = resolved("/etc/resolv.conf");
    // What the machine's services keep in /run, name services among it, is not for pods.
    cover_run()?;
    make_dir(Path::new(netns::FOLDER))?;
    make_dir(Path::new(STATE))?;
    etc::complete()?;
    place_program(&Path::new(STATE).join("image/netplan"))?;
    write(&Path::new(STATE).join("empty"), "")?;
    // Containers that mask parts of /proc do not allow this one. The old one shows the outer
    // processes and follows the network namespace as well.
    let _ = mount_new("proc", Path::new("/proc"));
    let sender = Arc::new(Sender::new(sending));
    let kubelet = Kubelet::new(Arc::clone(&sender), resolv_conf);
    Ok((sender, Receiver::new(socket), kubelet))
}

/// Answers requests, each on a thread of its own, so that the end of the socket is seen at any
/// time. Orphans need no reaping here: they go to the pid 1 of their pod.
fn serve(sender: &Arc<Sender>, mut receiver: Receiver, kubelet: Kubelet) -> ExitCode {
    let kubelet = Arc::new(kubelet);
    let faults = Arc::new(Faults::default());
    if sender.send(&Message::Hello(Ok(())), None).is_err() {
        return ExitCode::FAILURE;
    }
    while let Ok(Some(request)) = receiver.receive::<Request>() {
        let id = request.id;
        let (own, kubelet) = (Arc::clone(sender), Arc::clone(&kubelet));
        let faults = Arc::clone(&faults);
        let answered = detach("answer the command line", move || {
            answer(&own, &kubelet, &faults, request);
        });
        if let Err(error) = answered {
            let answer = Err(error);
            // When the command line is gone, so are we.
            let _ = sender.send(&Message::Answer { id, answer }, None);
        }
    }
    // Not a return: threads must not delay the end of all processes.
    exit(0)
}

fn answer(sender: &Sender, kubelet: &Kubelet, faults: &Faults, request: Request) {
    let id = request.id;
    let answer = match request.call {
        Call::Up { network, pods } => netns::build(&network).and_then(|namespaces| {
            kubelet.start(pods, &namespaces)?;
            faults.set_namespaces(namespaces);
            Ok(Answer::Done)
        }),
        Call::Connect {
            pod,
            port,
            within_ms,
        } => {
            let deadline = Instant::now() + Duration::from_millis(within_ms);
            let pod = kubelet.pod(&pod);
            let connected = pod.and_then(|pod| connect::connect(&pod, port, deadline));
            return send_socket(sender, id, connected);
        }
        Call::Capture { pod, port } => {
            let opened = kubelet.pod(&pod).and_then(|pod| capture::open(&pod, port));
            return send_socket(sender, id, opened);
        }
        Call::Logs { pod } => kubelet.pod(&pod).map(|pod| Answer::Text(pod.log())),
        Call::Kill { pod } => kubelet.pod(&pod).map(|pod| {
            pod.kill();
            Answer::Done
        }),
        Call::PrepareFault(plan) => faults.prepare(&plan, kubelet).map(|()| Answer::Done),
        Call::BeginFault(plan) => faults.switch(&plan, true, kubelet).map(Answer::Switched),
        Call::EndFault(plan) => faults.switch(&plan, false, kubelet).map(Answer::Switched),
        Call::EndFaults => faults.end_all().map(|()| Answer::Done),
    };
    // When the command line is gone, so are we.
    let _ = sender.send(&Message::Answer { id, answer }, None);
}

/// Answers with a socket, or why there is none.
fn send_socket(sender: &Sender, id: u64, opened: Result<impl AsFd, Error>) {
    let (answer, socket) = match opened {
        Ok(socket) => (Ok(Answer::Socket), Some(socket)),
        Err(error) => (Err(error), None),
    };
    let fd = socket.as_ref().map(AsFd::as_fd);
    // When the command line is gone, so are we.
    let _ = sender.send(&Message::Answer { id, answer }, fd);
}

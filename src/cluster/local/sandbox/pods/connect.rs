//! A connection to a port of a pod, made from inside, as port-forward makes it on Kubernetes.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::kubelet::Pod;
use crate::cluster::Error;
use crate::cluster::local::sandbox::netns::enter;
use crate::cluster::local::sandbox::threads::on_own_thread;

/// The kernel tells nobody of a new listener, so it is tried. This happens before anything is
/// measured.
const AGAIN: Duration = Duration::from_millis(2);

/// Connects, and waits for a listener until the deadline.
pub fn connect(pod: &Pod, port: u16, deadline: Instant) -> Result<TcpStream, Error> {
    let failed = |why: String| Error::Connect {
        pod: pod.name.clone(),
        port,
        why,
    };
    let attempt = || {
        enter(&pod.namespace)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(failed("nothing listens there".to_owned()));
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return Ok(stream),
                Err(error) if error.kind() != ErrorKind::ConnectionRefused => {
                    return Err(failed(error.to_string()));
                }
                Err(_) if pod.is_over() => {
                    return Err(failed(match pod.log().trim_end().lines().last() {
                        Some(said) => format!("the pod has ended: {said}"),
                        None => "the pod has ended".to_owned(),
                    }));
                }
                Err(_) => thread::sleep(AGAIN.min(left)),
            }
        }
    };
    // Threads do not come back from a namespace.
    on_own_thread(&format!("connect to pod `{}`", pod.name), attempt)
}

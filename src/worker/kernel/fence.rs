//! A fence between the announcements of sockets that were destroyed before a moment and after it.
//!
//! The kernel announces a destroyed socket from a work queue (`net/core/sock_diag.c`), so a loaded
//! machine announces it late. The work queue keeps the order on each CPU. So this destroys a socket
//! of its own on each CPU: when all of these have been announced, so have all that were destroyed
//! earlier on these CPUs. CPUs that this process may not use, e.g. in a pod with a CPU set, stay out.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// CPUs beyond are left out: moving to one costs about 10 µs.
const MOST_CPUS: usize = 64;

/// A fence whose sockets have been destroyed.
#[derive(Debug, Default)]
pub(in crate::worker) struct Fence {
    /// Local ports of those that have not been announced yet.
    pending: HashSet<u16>,
}

impl Fence {
    /// Destroys a socket on each CPU. Leaves the calling thread on one of them, so the thread must be
    /// one that ends soon.
    ///
    /// # Errors
    /// The kernel's, when it gives no socket or no port.
    pub(in crate::worker) fn build() -> io::Result<Self> {
        let this_thread = Pid::from_raw(0);
        // Fails on a machine with more CPUs than the set has room for: then only this CPU counts.
        let allowed = sched_getaffinity(this_thread).unwrap_or_default();
        let mut cpus: Vec<usize> = (0..CpuSet::count())
            .filter(|&cpu| allowed.is_set(cpu).unwrap_or(false))
            .take(MOST_CPUS)
            .collect();
        if cpus.is_empty() {
            cpus.push(0);
        }
        // All are there before the first is destroyed, so that each has a port of its own.
        let bind = |_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0));
        let sockets: Vec<TcpListener> = cpus.iter().map(bind).collect::<io::Result<_>>()?;
        let port = |socket: &TcpListener| Ok(socket.local_addr()?.port());
        let pending = sockets.iter().map(port).collect::<io::Result<_>>()?;
        for (cpu, socket) in cpus.into_iter().zip(sockets) {
            let mut only = CpuSet::new();
            // One that went offline has handed its work to others.
            let _ = only
                .set(cpu)
                .and_then(|()| sched_setaffinity(this_thread, &only));
            drop(socket);
        }
        Ok(Self { pending })
    }

    /// Records that the socket with these ports was announced. Returns whether it was the fence's last.
    pub(in crate::worker) fn announced(&mut self, local_port: u16, remote_port: u16) -> bool {
        // The fence's sockets have no peer.
        remote_port == 0 && self.pending.remove(&local_port) && self.pending.is_empty()
    }

    /// Whether all earlier sockets have been announced.
    pub(in crate::worker) fn has_passed(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Fence {
        /// A fence of sockets with these ports.
        pub(in super::super) fn new<const N: usize>(ports: [u16; N]) -> Self {
            Self {
                pending: HashSet::from(ports),
            }
        }
    }

    #[test]
    fn a_fence_has_passed_with_its_last_socket() {
        let mut fence = Fence::new([1, 2]);
        assert!(!fence.announced(1, 0) && !fence.has_passed());
        assert!(!fence.announced(1, 0) && !fence.announced(3, 0));
        assert!(!fence.announced(2, 5201), "a connection is none of it");
        assert!(fence.announced(2, 0) && fence.has_passed());
        assert!(!fence.announced(2, 0), "it passes once");
        assert!(Fence::default().has_passed());
    }

    #[test]
    fn a_fence_has_a_socket_on_each_cpu() {
        let (sockets, cpus) = std::thread::spawn(|| {
            let cpus = std::thread::available_parallelism().unwrap().get();
            (Fence::build().unwrap().pending.len(), cpus)
        })
        .join()
        .unwrap();
        assert!((cpus.min(MOST_CPUS)..=MOST_CPUS).contains(&sockets));
    }
}

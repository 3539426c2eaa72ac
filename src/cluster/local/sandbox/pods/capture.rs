//! The socket of a packet capture in a pod.

use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::kubelet::Pod;
use crate::cluster::Error;
use crate::cluster::local::sandbox::netns::enter;
use crate::cluster::local::sandbox::threads::on_own_thread;
use crate::system::receive::stamp_arrivals;

/// `ETH_P_IP` of `linux/if_ether.h`: IPv4.
const IPV4: u16 = 0x0800;
/// The bytes of a packet that are kept: the headers of IP and TCP with all of their options.
const KEPT: u32 = 120;

/// Opens a socket that gets the segments of TCP over IPv4 that come from this port, as they arrive at the pod or leave it.
pub fn open(pod: &Pod, port: u16) -> Result<Socket, Error> {
    let what = format!("capture packets in pod `{}`", pod.name);
    on_own_thread(&what, || {
        enter(&pod.namespace)?;
        let protocol = Protocol::from(i32::from(IPV4.to_be()));
        // Without the header of Ethernet.
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol));
        let socket = socket.map_err(|error| Error::system(&what, error))?;
        let filtered = socket.attach_filter(&from_port(port));
        filtered.map_err(|error| Error::system(&what, error))?;
        stamp_arrivals(&socket);
        Ok(socket)
    })
}

/// A filter for segments of TCP from a port, a program of `linux/filter.h`: operation, jumps if true and if false, value.
fn from_port(port: u16) -> [SockFilter; 9] {
    let [protocol, fragment, source] = [9, 6, 0];
    let (tcp, fragment_offset) = (6, 0x1fff);
    [
        // BPF_LD | BPF_B | BPF_ABS; BPF_JMP | BPF_JEQ | BPF_K
        SockFilter::new(0x30, 0, 0, protocol),
        SockFilter::new(0x15, 0, 5, tcp),
        // BPF_LD | BPF_H | BPF_ABS; BPF_JMP | BPF_JSET | BPF_K: later fragments have no ports.
        SockFilter::new(0x28, 0, 0, fragment),
        SockFilter::new(0x45, 3, 0, fragment_offset),
        // BPF_LDX | BPF_B | BPF_MSH: the length of the header; BPF_LD | BPF_H | BPF_IND
        SockFilter::new(0xb1, 0, 0, 0),
        SockFilter::new(0x48, 0, 0, source),
        // BPF_JMP | BPF_JEQ | BPF_K, and BPF_RET | BPF_K twice
        SockFilter::new(0x15, 1, 0, u32::from(port)),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, KEPT),
    ]
}

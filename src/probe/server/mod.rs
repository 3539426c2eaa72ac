//! The server of the probe: answers packets and takes connections, of any number of clients.

mod addresses;
mod connections;
mod delay;
mod echo_tcp;
mod echo_udp;
pub(super) mod run;

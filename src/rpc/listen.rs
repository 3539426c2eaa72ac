//! The orchestrator's listening socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use tokio::net::TcpListener;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens on an address. `[::]` is any address of either family: a pod's Service may be of the one or of the
/// other. Where the kernel has no IPv6, `[::]` is any IPv4 address.
///
/// # Errors
/// Those of the system calls, e.g. when the port is in use.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if !(address.is_ipv6() && address.ip().is_unspecified()) {
        return TcpListener::bind(address).await;
    }
    match listen_on_both_families(address) {
        Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
            let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            TcpListener::bind(SocketAddr::new(any, address.port())).await
        }
        listener => TcpListener::from_std(listener?),
    }
}

fn listen_on_both_families(address: SocketAddr) -> Result<std::net::TcpListener, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (family, kind) = (AddressFamily::INET6, SocketType::STREAM);
    let socket = rustix::net::socket_with(family, kind, flags, Some(ipproto::TCP))?;
    // `net.ipv6.bindv6only` may have switched it on.
    sockopt::set_ipv6_v6only(&socket, false)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(std::net::TcpListener::from(socket))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn any_address_is_of_either_family() {
        let listener = listen("[::]:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        // A machine may have IPv6 switched off.
        if std::net::TcpListener::bind("[::1]:0").is_ok() {
            TcpStream::connect(("::1", port)).unwrap();
        }
        assert!(
            listen(SocketAddr::new("::".parse().unwrap(), port))
                .await
                .is_err()
        );
    }
}

//! The orchestrator's listening socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
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
    let on_ipv4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
    let Ok(socket) = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)) else {
        return TcpListener::bind(on_ipv4).await;
    };
    match listen_on_both_families(&socket, address) {
        Ok(()) => TcpListener::from_std(socket.into()),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            TcpListener::bind(on_ipv4).await
        }
        Err(error) => Err(error),
    }
}

fn listen_on_both_families(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    // `net.ipv6.bindv6only` may have switched it on.
    socket.set_only_v6(false)?;
    socket.set_nonblocking(true)?;
    // On Windows it would let another process take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)
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

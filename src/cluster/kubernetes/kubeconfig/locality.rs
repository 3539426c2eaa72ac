//! Whether an API server is on this machine, as those of kind, k3d and minikube are.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use http::Uri;

/// A name that takes longer to resolve is taken to be elsewhere.
const RESOLVES_WITHIN: Duration = Duration::from_secs(5);

/// An address of an interface of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interface {
    address: IpAddr,
    /// How many bits of it name its network.
    prefix: u32,
    /// It is a bridge between virtual machines or containers, without a way out by itself.
    is_inner_bridge: bool,
}

/// Whether the server has an address of this machine, or one on a bridge that only virtual machines and
/// containers are on. A tunnel that ends here counts as here: nothing shows where it leads.
pub(in crate::cluster::kubernetes) async fn is_on_this_machine(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = server.port_u16().unwrap_or(443);
    let lookup = tokio::net::lookup_host((host, port));
    let Ok(Ok(found)) = tokio::time::timeout(RESOLVES_WITHIN, lookup).await else {
        return false;
    };
    let addresses: Vec<IpAddr> = found.map(|address| address.ip().to_canonical()).collect();
    are_here(&addresses, &interfaces())
}

/// Whether all addresses are on this machine.
fn are_here(addresses: &[IpAddr], interfaces: &[Interface]) -> bool {
    let is_here = |address: &IpAddr| {
        address.is_loopback()
            // k3d writes it; a connection to it is one to loopback.
            || address.is_unspecified()
            || interfaces.iter().any(|interface| {
                interface.address == *address
                    || interface.is_inner_bridge
                        && network(interface.address, interface.prefix) == network(*address, interface.prefix)
            })
    };
    !addresses.is_empty() && addresses.iter().all(is_here)
}

/// An address's network and family.
fn network(address: IpAddr, prefix: u32) -> (bool, u128) {
    let (width, bits) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let network = bits.checked_shr(width - prefix.min(width)).unwrap_or(0);
    (address.is_ipv4(), network)
}

/// Only loopback is known there to be on this machine.
#[cfg(not(unix))]
fn interfaces() -> Vec<Interface> {
    Vec::new()
}

#[cfg(unix)]
fn interfaces() -> Vec<Interface> {
    let all = nix::ifaddrs::getifaddrs().into_iter().flatten();
    all.filter_map(|one| {
        let address = ip(one.address?)?;
        let prefix = match ip(one.netmask?)? {
            IpAddr::V4(mask) => mask.to_bits().count_ones(),
            IpAddr::V6(mask) => mask.to_bits().count_ones(),
        };
        Some(Interface {
            address,
            prefix,
            is_inner_bridge: is_inner_bridge(
                &Path::new("/sys/class/net").join(&one.interface_name),
            ),
        })
    })
    .collect()
}

#[cfg(unix)]
fn ip(address: nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())))
}

/// Whether the interface is a bridge none of whose ports leads out of the machine, by itself or through the
/// interface below it.
fn is_inner_bridge(interface: &Path) -> bool {
    let Ok(ports) = std::fs::read_dir(interface.join("brif")) else {
        return false;
    };
    let leads_out = |port: &Path| {
        let entries = std::fs::read_dir(port).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| name == "device" || name.as_encoded_bytes().starts_with(b"lower_"))
    };
    let mut ports = ports.flatten();
    !ports.any(|port| leads_out(&interface.with_file_name(port.file_name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(address: &str, prefix: u32, is_inner_bridge: bool) -> Interface {
        Interface {
            address: address.parse().unwrap(),
            prefix,
            is_inner_bridge,
        }
    }

    #[test]
    fn loopback_own_addresses_and_inner_bridges_are_here() {
        let interfaces = [
            interface("127.0.0.1", 8, false),
            interface("10.1.2.3", 16, false),
            interface("192.168.49.1", 24, true),
            interface("fd00:1::1", 64, true),
        ];
        for (address, here) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("0.0.0.0", true),
            ("10.1.2.3", true),
            ("10.1.2.4", false),
            ("192.168.49.2", true),
            ("192.168.50.2", false),
            ("fd00:1::2", true),
            ("fd00:2::2", false),
            ("198.51.100.7", false),
        ] {
            assert_eq!(
                are_here(&[address.parse().unwrap()], &interfaces),
                here,
                "{address}"
            );
        }
        let both = ["127.0.0.1", "198.51.100.7"].map(|address| address.parse().unwrap());
        assert!(!are_here(&both, &interfaces));
        assert!(!are_here(&[], &interfaces));
        let everything = [interface("0.0.0.0", 0, true)];
        assert!(are_here(&["198.51.100.7".parse().unwrap()], &everything));
    }

    #[test]
    fn a_bridge_with_a_device_leads_out() {
        let sys = tempfile::tempdir().unwrap();
        let make = |path: &str| std::fs::create_dir_all(sys.path().join(path)).unwrap();
        for folder in [
            "docker0/brif/veth1",
            "veth1",
            "br0/brif/eth0",
            "eth0/device",
            "br1/brif/vlan7",
            "vlan7/lower_eth0",
            "virbr0/brif",
        ] {
            make(folder);
        }
        for (name, inner) in [
            ("docker0", true),
            ("virbr0", true),
            ("br0", false),
            ("br1", false),
            ("eth0", false),
        ] {
            assert_eq!(is_inner_bridge(&sys.path().join(name)), inner, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn this_machine_has_its_loopback() {
        let loopback = interface("127.0.0.1", 8, false);
        assert!(interfaces().contains(&loopback), "{:?}", interfaces());
    }

    #[tokio::test]
    async fn a_server_is_found_by_its_url() {
        for (url, here) in [
            ("https://127.0.0.1:33253", true),
            ("https://[::1]:33253", true),
            ("https://0.0.0.0:6443", true),
            ("https://localhost", true),
            ("https://198.51.100.7:6443", false),
        ] {
            assert_eq!(
                is_on_this_machine(&url.parse().unwrap()).await,
                here,
                "{url}"
            );
        }
    }
}

//! The name servers that the pod asks.

use std::net::IpAddr;
use std::path::Path;

use crate::files;

/// Where the resolver finds them (resolv.conf(5)).
const CONFIGURATION: &str = "/etc/resolv.conf";
/// What is read of it.
const LARGEST_BYTES: u64 = 64 * 1024;
/// The resolver uses no more (`MAXNS`, resolv.conf(5)).
const MOST: usize = 3;

/// The addresses of the name servers; none when the file cannot be read.
pub(super) fn name_servers() -> Vec<String> {
    let text = files::read_regular(Path::new(CONFIGURATION), LARGEST_BYTES).unwrap_or_default();
    addresses(&String::from_utf8_lossy(&text))
}

fn addresses(text: &str) -> Vec<String> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = (words.next() == Some("nameserver")).then(|| words.next())??;
        // A link-local address has a zone.
        let (ip, _) = address.split_once('%').unwrap_or((address, ""));
        ip.parse::<IpAddr>().ok().map(|_| address.to_owned())
    });
    servers.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_other_lines_are_not() {
        let text = "search np.svc cluster.local\n nameserver 10.96.0.10\nnameserver\t fe80::1%eth0 \n\
                    #nameserver 1.1.1.1\nnameserver\nnameserver x\nnameservers 1.2.3.4\noptions ndots:5\n";
        assert_eq!(addresses(text), ["10.96.0.10", "fe80::1%eth0"]);
    }
}

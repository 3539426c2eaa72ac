//! The families of IP addresses: IPv4 and IPv6.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    V4,
    V6,
}

impl From<&IpAddr> for Family {
    fn from(ip: &IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The families of some addresses.
pub(super) fn families<'a>(ips: impl IntoIterator<Item = &'a IpAddr>) -> BTreeSet<Family> {
    ips.into_iter().map(Family::from).collect()
}

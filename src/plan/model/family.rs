//! Address families, as paths and the local cluster name them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::choice::Choice;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Choice for Family {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Ipv4, ""), (Self::Ipv6, "")];

    /// As Kubernetes spells it.
    fn also(self) -> &'static [&'static str] {
        match self {
            Self::Ipv4 => &["IPv4"],
            Self::Ipv6 => &["IPv6"],
        }
    }
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub fn from_address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// As texts for people, and Kubernetes, write it: `IPv6`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }
}

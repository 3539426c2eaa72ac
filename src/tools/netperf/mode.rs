//! The tests of netperf.

use crate::catalog::{Mode, Transport, name};
use crate::plan::BuiltInUse;

/// netperf with one of its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Netperf {
    pub(super) mode: &'static Mode,
    pub(super) no_delay: bool,
}

impl From<&BuiltInUse> for Netperf {
    fn from(used: &BuiltInUse) -> Self {
        Self {
            mode: used.mode,
            no_delay: used.is_set("no_delay"),
        }
    }
}

impl Netperf {
    /// Whether the test counts transactions, not bytes.
    pub(super) fn transacts(self) -> bool {
        self.mode.headline() == name::TRANSACTIONS_PER_S
    }

    /// Whether all transactions use one connection.
    pub(super) fn uses_one_connection(self) -> bool {
        self.mode.word != "TCP_CRR"
    }

    pub(super) fn is_udp(self) -> bool {
        self.mode.transport == Transport::Udp
    }
}

//! iperf3's options that do not sweep.

use crate::catalog::{Mode, Transport};
use crate::plan::BuiltInUse;
use crate::plan::sweep::Sweep;

/// Control and data, TCP and UDP: iperf3 uses one port for all. A load has another one.
const PORT: u16 = 5201;

/// iperf3 with those options of a test that do not sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iperf3 {
    pub(super) mode: &'static Mode,
    /// Bytes.
    pub(super) window: Option<u64>,
    pub(super) congestion: Option<String>,
    pub(super) no_delay: bool,
    pub(super) zerocopy: bool,
    /// Where its server listens.
    pub(super) port: u16,
    /// It sends while another tool measures: its server says when something arrives.
    pub(super) is_load: bool,
}

impl Iperf3 {
    /// iperf3 as the load of a test, on a port of its own.
    #[must_use]
    pub fn load(used: &BuiltInUse, port: u16) -> Self {
        Self {
            port,
            is_load: true,
            ..Self::from(used)
        }
    }

    pub(super) fn is_udp(&self) -> bool {
        self.mode.transport == Transport::Udp
    }
}

impl From<&BuiltInUse> for Iperf3 {
    fn from(used: &BuiltInUse) -> Self {
        Self {
            mode: used.mode,
            window: used.numbers("window").and_then(Sweep::first),
            congestion: used.name_of("congestion").map(str::to_owned),
            no_delay: used.is_set("no_delay"),
            zerocopy: used.is_set("zerocopy"),
            port: PORT,
            is_load: false,
        }
    }
}

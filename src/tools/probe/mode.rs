//! What the probe sends.

use std::time::Duration;

use crate::catalog::Mode;
use crate::plan::BuiltInUse;
use crate::plan::sweep::Sweep;

/// The probe with its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    pub(super) mode: &'static Mode,
    pub(super) interval: Option<Duration>,
    pub(super) connect_interval: Option<Duration>,
}

impl From<&BuiltInUse> for Probe {
    fn from(used: &BuiltInUse) -> Self {
        let time = |option| {
            let micros = used.numbers(option).and_then(Sweep::first)?;
            Some(Duration::from_micros(micros))
        };
        Self {
            mode: used.mode,
            interval: time("interval"),
            connect_interval: time("connect_interval"),
        }
    }
}

impl Probe {
    pub(super) fn sends_udp(self) -> bool {
        matches!(self.mode.word, "all" | "udp")
    }

    pub(super) fn finds_mtu(self) -> bool {
        self.mode.word == "mtu"
    }

    pub(super) fn sends_tcp(self) -> bool {
        matches!(self.mode.word, "all" | "tcp")
    }
}

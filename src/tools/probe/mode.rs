//! What the probe sends.

use std::time::Duration;

use super::output::Traffic;
use crate::catalog::{BuiltIn, Mode};
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

/// A kind of traffic that the probe sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probing {
    pub traffic: Traffic,
    /// Between two packets, or two connections.
    pub interval: Duration,
}

/// What a use of a tool sends at fixed times: nothing, unless the tool is the probe.
#[must_use]
pub fn probed(used: &BuiltInUse) -> Vec<Probing> {
    if used.tool.id != BuiltIn::Probe {
        return Vec::new();
    }
    let probe = Probe::from(used);
    let kinds = [
        (Traffic::Udp, probe.interval.filter(|_| probe.sends_udp())),
        (Traffic::Tcp, probe.interval.filter(|_| probe.sends_tcp())),
        (Traffic::Connect, probe.connect_interval),
    ];
    let probing = |(traffic, interval)| {
        Some(Probing {
            traffic,
            interval: interval?,
        })
    };
    kinds.into_iter().filter_map(probing).collect()
}

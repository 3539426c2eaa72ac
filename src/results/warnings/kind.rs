//! The kinds of warnings: the name, the title and the meaning of each.

use serde::Serialize;

/// A warning's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    MssDiffers,
    /// Of several cells, so it is found only in a report.
    MssCollapsed,
    Offloaded,
    Loopback,
    CpuSaturated,
    CpuStolen,
    Throttled,
    ElapsedOff,
    RetransmitBurst,
    OtherTraffic,
    ImpossibleFigure,
    Contradicted,
    SenderRate,
    Dip,
    Ramp,
    MtuBlackHole,
}

impl Kind {
    pub const ALL: [Kind; 16] = [
        Kind::MssDiffers,
        Kind::MssCollapsed,
        Kind::Offloaded,
        Kind::Loopback,
        Kind::CpuSaturated,
        Kind::CpuStolen,
        Kind::Throttled,
        Kind::ElapsedOff,
        Kind::RetransmitBurst,
        Kind::OtherTraffic,
        Kind::ImpossibleFigure,
        Kind::Contradicted,
        Kind::SenderRate,
        Kind::Dip,
        Kind::Ramp,
        Kind::MtuBlackHole,
    ];

    /// As events, JSON and CSV have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::MssDiffers => "mss_differs",
            Kind::MssCollapsed => "mss_collapsed",
            Kind::Offloaded => "offloaded",
            Kind::Loopback => "loopback",
            Kind::CpuSaturated => "cpu_saturated",
            Kind::CpuStolen => "cpu_stolen",
            Kind::Throttled => "throttled",
            Kind::ElapsedOff => "elapsed_off",
            Kind::RetransmitBurst => "retransmit_burst",
            Kind::OtherTraffic => "other_traffic",
            Kind::ImpossibleFigure => "impossible_figure",
            Kind::Contradicted => "contradicted",
            Kind::SenderRate => "sender_rate",
            Kind::Dip => "dip",
            Kind::Ramp => "ramp",
            Kind::MtuBlackHole => "mtu_black_hole",
        }
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Kind::MssDiffers => "effective MSS is not the requested one",
            Kind::MssCollapsed => "several requested MSS became one effective MSS",
            Kind::Offloaded => "segmentation is offloaded",
            Kind::Loopback => "both ends share one network stack",
            Kind::CpuSaturated => "CPU saturated",
            Kind::CpuStolen => "CPU time was stolen",
            Kind::Throttled => "pod throttled by its CPU limit",
            Kind::ElapsedOff => "measured for another time than asked",
            Kind::RetransmitBurst => "retransmit burst",
            Kind::OtherTraffic => "other traffic on the pod's interface",
            Kind::ImpossibleFigure => "impossible figure left out",
            Kind::Contradicted => "more payload than the interfaces carried",
            Kind::SenderRate => "rate of the sender",
            Kind::Dip => "dip within a sample",
            Kind::Ramp => "first part of a sample differs from the rest",
            Kind::MtuBlackHole => "large packets vanish on the path",
        }
    }

    /// What it means for the figure, in one line.
    #[must_use]
    pub fn means(self) -> &'static str {
        match self {
            Kind::MssDiffers => {
                "the figure belongs to the effective MSS; a larger request is held down by the path's MTU"
            }
            Kind::MssCollapsed => "these points of the sweep are the same measurement, taken again",
            Kind::Offloaded => {
                "packets of up to 64 KiB cross the path whatever the MSS, so the sweep says little about it"
            }
            Kind::Loopback => "the traffic never left the host: MSS and links mean nothing for it",
            Kind::CpuSaturated => {
                "the node's processor set the pace, and the network may carry more: look for what else \
                 runs there, take larger segments, or nodes with more CPUs"
            }
            Kind::CpuStolen => {
                "the hypervisor gave the node's processor to others: expect other figures at other times"
            }
            Kind::Throttled => {
                "the figure is what the pod's CPU limit allows: raise the limit or remove it"
            }
            Kind::ElapsedOff => {
                "rates are over the tool's own time, and something held the tool up or cut it short"
            }
            Kind::RetransmitBurst => {
                "losses set the pace: the figure says more of a full queue or a policer than of the path"
            }
            Kind::OtherTraffic => "the sample had to share the interface with something else",
            Kind::ImpossibleFigure => {
                "the tool reported a value that cannot be, such as one of a counter that overflowed; the \
                 other metrics of the sample count"
            }
            Kind::Contradicted => {
                "the traffic bypassed the interfaces, as with eBPF that connects two sockets, or the tool \
                 did not measure it"
            }
            Kind::SenderRate => {
                "the imported results have what the sender pushed out; what arrived is not known"
            }
            Kind::Dip => {
                "the mean hides a time in which little arrived: `series.csv` and `report.html` show when; look for what \
                 else happened then"
            }
            Kind::Ramp => {
                "the figure mixes a start with what follows it: add a `warmup` that is longer than the first part"
            }
            Kind::MtuBlackHole => {
                "the path is smaller than the interfaces, and no ICMP message says so, so that connections hang: lower the \
                 pods' MTU, or let ICMP \"fragmentation needed\" and \"packet too big\" pass"
            }
        }
    }
}

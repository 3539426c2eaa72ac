//! Reasons to doubt a sample: what was observed around it, held against what was asked for. Pure.
//!
//! A doubt drops nothing. It says that the figure may be that of something else than the path: of a
//! processor, of a quota, of a neighbour. Where a figure is not known, there is no doubt from it.

use serde::{Deserialize, Serialize};

use super::environment::WorkerEnvironment;
use super::observed::{self, End};
use crate::schedule::{Param, Params};
use crate::tools::{Metrics, name};

/// TCP's timestamps take so many bytes of each segment (RFC 7323: 10, and 2 to align): with them
/// the effective MSS is that much below the requested one, and nothing is wrong.
const TIMESTAMPS: f64 = 12.0;
/// A node this busy, in percent of all its CPUs, has nothing left to send or receive more with. Not
/// 100: /proc/stat counts in ticks of 10 ms, and the two readings lie outside the sample.
pub const SATURATED_PERCENT: f64 = 95.0;
/// From this share of stolen time on the figures are the hypervisor's as well.
pub const STOLEN_PERCENT: f64 = 5.0;
/// How far a tool's own time may be off the asked one: so much of it, and at least [`ELAPSED_S`],
/// which setting up and draining takes whatever the duration.
pub const ELAPSED_PERCENT: f64 = 5.0;
/// See [`ELAPSED_PERCENT`].
pub const ELAPSED_S: f64 = 0.1;
/// Segments sent again, in percent of those sent. TCP's rate falls with the root of this share
/// (Mathis et al. 1997: rate ≤ MSS / RTT · 1.22 / √p). A flow that fills a link without a policer
/// loses far less than one in a hundred; from there on losses set the pace.
pub const BURST_PERCENT: f64 = 1.0;
/// Fewer lost segments than these are an accident, whatever their share.
pub const BURST_SEGMENTS: f64 = 10.0;
/// Traffic that the tool cannot have caused, in percent of what it can have, and at least
/// [`OTHER_BPS`]: gRPC, ARP and DNS are always there.
pub const OTHER_PERCENT: f64 = 5.0;
/// Bits per second; see [`OTHER_PERCENT`].
pub const OTHER_BPS: f64 = 1e6;
/// The most that headers take of a packet on its way: Ethernet with a VLAN 18, IPv6 40, TCP with
/// timestamps 32.
const HEADERS: f64 = 90.0;

/// A reason to doubt a sample, with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Doubt {
    /// Bytes.
    MssDiffers {
        asked: u64,
        effective: f64,
    },
    /// `features`: `TSO at the client`, ….
    Offloaded {
        features: Vec<String>,
    },
    Loopback,
    CpuSaturated {
        end: End,
        busy_percent: f64,
    },
    CpuStolen {
        end: End,
        steal_percent: f64,
    },
    Throttled {
        end: End,
        periods: f64,
        throttled_us: f64,
    },
    ElapsedOff {
        asked_s: f64,
        elapsed_s: f64,
    },
    RetransmitBurst {
        retransmits: f64,
        /// Of the segments sent.
        percent: f64,
    },
    OtherTraffic {
        end: End,
        /// What the tool cannot account for, over the time that was observed.
        bps: f64,
        /// Of what the tool can account for.
        percent: f64,
    },
}

/// A doubt's name.
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
}

impl Kind {
    pub const ALL: [Kind; 10] = [
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
        }
    }

    /// What is the matter, in a few words.
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
                "the figure is what the processor can do with such packets; the network may carry more"
            }
            Kind::CpuStolen => {
                "the hypervisor gave the node's processor to others: expect other figures at other times"
            }
            Kind::Throttled => {
                "the figure is what the pod's CPU limit allows: raise it, or leave it away"
            }
            Kind::ElapsedOff => {
                "rates are over the tool's own time, and something held the tool up or cut it short"
            }
            Kind::RetransmitBurst => {
                "losses set the pace: the figure says more of a full queue or a policer than of the path"
            }
            Kind::OtherTraffic => "the sample had to share the interface with something else",
        }
    }
}

impl Doubt {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Doubt::MssDiffers { .. } => Kind::MssDiffers,
            Doubt::Offloaded { .. } => Kind::Offloaded,
            Doubt::Loopback => Kind::Loopback,
            Doubt::CpuSaturated { .. } => Kind::CpuSaturated,
            Doubt::CpuStolen { .. } => Kind::CpuStolen,
            Doubt::Throttled { .. } => Kind::Throttled,
            Doubt::ElapsedOff { .. } => Kind::ElapsedOff,
            Doubt::RetransmitBurst { .. } => Kind::RetransmitBurst,
            Doubt::OtherTraffic { .. } => Kind::OtherTraffic,
        }
    }

    /// How bad it is, to compare doubts of one kind: a larger one is worse.
    #[must_use]
    pub fn severity(&self) -> f64 {
        match self {
            Doubt::MssDiffers { asked, effective } => (*asked as f64 - effective).abs(),
            Doubt::Offloaded { features } => features.len() as f64,
            Doubt::Loopback => 1.0,
            Doubt::CpuSaturated { busy_percent, .. } => *busy_percent,
            Doubt::CpuStolen { steal_percent, .. } => *steal_percent,
            Doubt::Throttled { throttled_us, .. } => *throttled_us,
            Doubt::ElapsedOff { asked_s, elapsed_s } => (elapsed_s - asked_s).abs(),
            Doubt::RetransmitBurst { percent, .. } | Doubt::OtherTraffic { percent, .. } => {
                *percent
            }
        }
    }

    /// The figures, in words.
    #[must_use]
    pub fn figures(&self) -> String {
        match self {
            Doubt::MssDiffers { asked, effective } => {
                format!("{asked} bytes asked, {effective:.0} effective")
            }
            Doubt::Offloaded { features } => features.join(", "),
            Doubt::Loopback => "on the host network of one node".to_owned(),
            Doubt::CpuSaturated { end, busy_percent } => {
                format!("{busy_percent:.1} % busy at the {}", end.name())
            }
            Doubt::CpuStolen { end, steal_percent } => {
                format!("{steal_percent:.1} % stolen at the {}", end.name())
            }
            Doubt::Throttled {
                end,
                periods,
                throttled_us,
            } => format!(
                "stopped for {:.0} ms in {periods:.0} periods at the {}",
                throttled_us / 1e3,
                end.name()
            ),
            Doubt::ElapsedOff { asked_s, elapsed_s } => {
                format!("{elapsed_s:.2} s instead of {asked_s:.2} s")
            }
            Doubt::RetransmitBurst {
                retransmits,
                percent,
            } => format!("{retransmits:.0} segments sent again, {percent:.1} % of all"),
            Doubt::OtherTraffic { end, bps, percent } => format!(
                "at least {:.1} Mbit/s at the {}, {percent:.0} % of the sample's own",
                bps / 1e6,
                end.name()
            ),
        }
    }
}

/// What is known of a sample beside its figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Circumstances {
    pub asked_s: f64,
    /// Warm-up that an end observes together with the sample: at the client only a tool's own.
    pub client_warmup_s: f64,
    pub server_warmup_s: f64,
    /// The test measures at several MSS.
    pub sweeps_mss: bool,
    /// Both ends are on the host network of one node.
    pub loopback: bool,
    /// Both ends are one pod, so that each packet leaves and enters by the same interface.
    pub hairpin: bool,
    /// The larger MTU of the two ends; 0 when unknown.
    pub mtu: u32,
    /// Offloads that are on and let larger packets cross the path than the MSS allows.
    pub offloads: Vec<String>,
}

/// Offloads that make or keep packets larger than a segment: ethtool's name, short name.
const OFFLOADS: [(&str, &str); 3] = [
    ("tcp-segmentation-offload", "TSO"),
    ("generic-segmentation-offload", "GSO"),
    ("generic-receive-offload", "GRO"),
];

impl Circumstances {
    /// Takes note of both ends' surroundings.
    #[must_use]
    pub fn seen(mut self, client: &WorkerEnvironment, server: &WorkerEnvironment) -> Self {
        self.mtu = client.mtu.max(server.mtu);
        let mut on: Vec<(&str, Vec<&str>)> = Vec::new();
        for (end, seen) in [(End::Client, client), (End::Server, server)] {
            for (long, short) in OFFLOADS {
                if seen.offloads.get(long) != Some(&true) {
                    continue;
                }
                match on.iter_mut().find(|(name, _)| *name == short) {
                    Some((_, ends)) => ends.push(end.name()),
                    None => on.push((short, vec![end.name()])),
                }
            }
        }
        self.offloads = on
            .into_iter()
            .map(|(short, ends)| format!("{short} at {}", ends.join(" and ")))
            .collect();
        self
    }
}

/// All that makes a sample doubtful.
#[must_use]
pub fn of(params: &Params, metrics: &Metrics, about: &Circumstances) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    doubts.extend(mss(params, metrics));
    if about.sweeps_mss && params.get(Param::Mss).is_some() {
        if about.loopback {
            doubts.push(Doubt::Loopback);
        } else if !about.offloads.is_empty() {
            doubts.push(Doubt::Offloaded {
                features: about.offloads.clone(),
            });
        }
    }
    for end in End::BOTH {
        if about.hairpin && end == End::Server {
            // It saw what the client saw.
            continue;
        }
        doubts.extend(cpu(metrics, end));
        doubts.extend(throttled(metrics, end));
        doubts.extend(other_traffic(params, metrics, about, end));
    }
    doubts.extend(elapsed(metrics, about.asked_s));
    doubts.extend(burst(metrics));
    doubts
}

fn mss(params: &Params, metrics: &Metrics) -> Option<Doubt> {
    let asked = params.get(Param::Mss)?;
    let effective = metrics.get(name::EFFECTIVE_MSS)?;
    let lacks = asked as f64 - effective;
    (!(0.0..=TIMESTAMPS).contains(&lacks)).then_some(Doubt::MssDiffers { asked, effective })
}

fn cpu(metrics: &Metrics, end: End) -> impl Iterator<Item = Doubt> {
    let busy = metrics.get(observed::NODE_BUSY_PERCENT.at(end));
    let steal = metrics.get(observed::NODE_STEAL_PERCENT.at(end));
    let saturated = busy.filter(|busy| *busy >= SATURATED_PERCENT);
    let stolen = steal.filter(|steal| *steal >= STOLEN_PERCENT);
    saturated
        .map(|busy_percent| Doubt::CpuSaturated { end, busy_percent })
        .into_iter()
        .chain(stolen.map(|steal_percent| Doubt::CpuStolen { end, steal_percent }))
}

fn throttled(metrics: &Metrics, end: End) -> Option<Doubt> {
    let periods = metrics.get(observed::THROTTLED_PERIODS.at(end))?;
    let throttled_us = metrics.get(observed::THROTTLED_US.at(end))?;
    (periods > 0.0).then_some(Doubt::Throttled {
        end,
        periods,
        throttled_us,
    })
}

fn elapsed(metrics: &Metrics, asked_s: f64) -> Option<Doubt> {
    let elapsed_s = metrics.get(name::ELAPSED_S)?;
    let allowed = (asked_s * ELAPSED_PERCENT / 100.0).max(ELAPSED_S);
    ((elapsed_s - asked_s).abs() > allowed).then_some(Doubt::ElapsedOff { asked_s, elapsed_s })
}

fn burst(metrics: &Metrics) -> Option<Doubt> {
    let retransmits = metrics.get(name::RETRANSMITS)?;
    let bytes = sent_bytes_per_s(metrics)? * metrics.get(name::ELAPSED_S)?;
    let segments = bytes / metrics.get(name::EFFECTIVE_MSS).filter(|mss| *mss > 0.0)?;
    let percent = 100.0 * retransmits / segments;
    (percent.is_finite() && percent >= BURST_PERCENT && retransmits >= BURST_SEGMENTS).then_some(
        Doubt::RetransmitBurst {
            retransmits,
            percent,
        },
    )
}

/// Payload that the tool put on its way each second.
fn sent_bytes_per_s(metrics: &Metrics) -> Option<f64> {
    let sent = metrics.get(name::SENT_BPS);
    let received = metrics.get(name::THROUGHPUT_BPS);
    let most = sent.into_iter().chain(received).reduce(f64::max)?;
    (most > 0.0).then_some(most / 8.0)
}

/// What crossed the interface beyond the most that a bulk transfer can have caused: its payload,
/// headers on every packet, an acknowledgement for each, and a warm-up at up to twice its rate. Of
/// requests and responses the payload is not known, so they are not judged.
fn other_traffic(
    params: &Params,
    metrics: &Metrics,
    about: &Circumstances,
    end: End,
) -> Option<Doubt> {
    let figure = |metric: observed::AtEnds| metrics.get(metric.at(end));
    let crossed = figure(observed::SENT_BYTES)? + figure(observed::RECEIVED_BYTES)?;
    let window_s = figure(observed::OBSERVED_S).filter(|s| *s > 0.0)?;
    let payload = sent_bytes_per_s(metrics)?;
    let size = metrics
        .get(name::EFFECTIVE_MSS)
        .or_else(|| Some(params.size()? as f64))
        .filter(|size| *size > 0.0)?;
    // A datagram larger than the MTU travels in fragments, each with its headers.
    let carried = match about.mtu {
        0 => size,
        mtu => size.min((f64::from(mtu) - HEADERS).max(1.0)),
    };
    let warmup_s = match end {
        End::Client => about.client_warmup_s,
        End::Server => about.server_warmup_s,
    };
    let seconds = metrics.get(name::ELAPSED_S)? + 2.0 * warmup_s;
    let again = metrics.get(name::RETRANSMITS).unwrap_or(0.0) * (size + HEADERS);
    let own = payload * seconds * (1.0 + 2.0 * HEADERS / carried) + again;
    let own = if about.hairpin { 2.0 * own } else { own };
    let other = crossed - own;
    let (bps, percent) = (other * 8.0 / window_s, 100.0 * other / own);
    (bps.is_finite() && percent.is_finite() && bps >= OTHER_BPS && percent >= OTHER_PERCENT)
        .then_some(Doubt::OtherTraffic { end, bps, percent })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A sample that nothing speaks against: 1 Gbit/s for 10 s at an MSS of 1460.
    const CLEAN: [(&str, f64); 12] = [
        (name::THROUGHPUT_BPS, 0.95e9),
        (name::SENT_BPS, 0.951e9),
        (name::RETRANSMITS, 40.0),
        (name::ELAPSED_S, 10.01),
        (name::EFFECTIVE_MSS, 1448.0),
        (observed::OBSERVED_S.at(End::Client), 11.1),
        (observed::NODE_BUSY_PERCENT.at(End::Client), 70.0),
        (observed::NODE_STEAL_PERCENT.at(End::Client), 0.3),
        (observed::THROTTLED_PERIODS.at(End::Client), 0.0),
        (observed::THROTTLED_US.at(End::Client), 0.0),
        (observed::SENT_BYTES.at(End::Client), 1.367e9),
        (observed::RECEIVED_BYTES.at(End::Client), 0.03e9),
    ];

    fn params() -> Params {
        Params(vec![(Param::Streams, 8), (Param::Mss, 1460)])
    }

    fn circumstances() -> Circumstances {
        Circumstances {
            asked_s: 10.0,
            client_warmup_s: 1.0,
            server_warmup_s: 1.0,
            sweeps_mss: true,
            mtu: 1500,
            ..Circumstances::default()
        }
    }

    fn with(changes: &[(&str, f64)]) -> Metrics {
        let mut metrics = Metrics::default();
        for (name, value) in CLEAN.iter().chain(changes) {
            metrics.set(name, *value);
        }
        metrics
    }

    fn kinds(changes: &[(&str, f64)]) -> Vec<Kind> {
        let doubts = of(&params(), &with(changes), &circumstances());
        doubts.iter().map(Doubt::kind).collect()
    }

    #[test]
    fn each_cause_gives_its_doubt_and_no_other() {
        assert_eq!(kinds(&[]), []);
        let client = End::Client;
        for (change, kind) in [
            (&[(name::EFFECTIVE_MSS, 1400.0)][..], Kind::MssDiffers),
            (&[(name::EFFECTIVE_MSS, 1461.0)], Kind::MssDiffers),
            (
                &[(observed::NODE_BUSY_PERCENT.at(client), 95.0)],
                Kind::CpuSaturated,
            ),
            (
                &[(observed::NODE_STEAL_PERCENT.at(client), 5.0)],
                Kind::CpuStolen,
            ),
            (
                &[(observed::THROTTLED_PERIODS.at(client), 1.0)],
                Kind::Throttled,
            ),
            (&[(name::ELAPSED_S, 10.6)], Kind::ElapsedOff),
            (&[(name::ELAPSED_S, 9.4)], Kind::ElapsedOff),
            (&[(name::RETRANSMITS, 9_000.0)], Kind::RetransmitBurst),
            (
                &[(observed::RECEIVED_BYTES.at(client), 0.6e9)],
                Kind::OtherTraffic,
            ),
        ] {
            assert_eq!(kinds(change), [kind], "{change:?}");
        }
    }

    #[test]
    fn timestamps_and_their_absence_are_no_doubt() {
        for effective in [1448.0, 1460.0] {
            assert_eq!(kinds(&[(name::EFFECTIVE_MSS, effective)]), []);
        }
    }

    #[test]
    fn a_sweep_is_flattened_by_offloads_at_either_end_and_by_one_host() {
        let on = |names: &[&str]| WorkerEnvironment {
            offloads: names.iter().map(|n| ((*n).to_owned(), true)).collect(),
            ..WorkerEnvironment::default()
        };
        let off = WorkerEnvironment {
            offloads: BTreeMap::from([("tcp-segmentation-offload".to_owned(), false)]),
            ..WorkerEnvironment::default()
        };
        let doubts = |about: &Circumstances| of(&params(), &with(&[]), about);
        assert_eq!(doubts(&circumstances().seen(&off, &off)), []);
        let both = on(&["tcp-segmentation-offload", "generic-receive-offload"]);
        let about = circumstances().seen(&both, &on(&["tcp-segmentation-offload"]));
        let features = ["TSO at client and server", "GRO at client"].map(str::to_owned);
        assert_eq!(
            doubts(&about),
            [Doubt::Offloaded {
                features: features.to_vec()
            }]
        );
        let one_size = Circumstances {
            sweeps_mss: false,
            ..about.clone()
        };
        assert_eq!(doubts(&one_size), []);
        let loopback = Circumstances {
            loopback: true,
            ..about
        };
        assert_eq!(doubts(&loopback), [Doubt::Loopback]);
    }

    #[test]
    fn a_hairpin_sees_each_packet_twice_and_once() {
        let hairpin = Circumstances {
            hairpin: true,
            ..circumstances()
        };
        let twice = with(&[
            (observed::SENT_BYTES.at(End::Client), 1.4e9),
            (observed::RECEIVED_BYTES.at(End::Client), 1.4e9),
            (observed::NODE_BUSY_PERCENT.at(End::Client), 99.0),
            (observed::NODE_BUSY_PERCENT.at(End::Server), 99.0),
        ]);
        let kinds = |about| of(&params(), &twice, about);
        assert_eq!(
            kinds(&hairpin),
            [Doubt::CpuSaturated {
                end: End::Client,
                busy_percent: 99.0
            }]
        );
        let kinds: Vec<Kind> = kinds(&circumstances()).iter().map(Doubt::kind).collect();
        assert!(kinds.contains(&Kind::OtherTraffic));
    }

    #[test]
    fn a_doubt_has_its_name_in_events() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let doubt = Doubt::CpuSaturated {
            end: End::Server,
            busy_percent: 99.5,
        };
        let text = r#"{"kind":"cpu_saturated","end":"server","busy_percent":99.5}"#;
        assert_eq!(serde_json::to_string(&doubt).unwrap(), text);
        assert_eq!(serde_json::from_str::<Doubt>(text).unwrap(), doubt);
    }

    fn any_metrics() -> impl Strategy<Value = Metrics> {
        let tools = [
            name::THROUGHPUT_BPS,
            name::SENT_BPS,
            name::RETRANSMITS,
            name::ELAPSED_S,
            name::EFFECTIVE_MSS,
        ];
        let ends = observed::ALL
            .into_iter()
            .flat_map(|metric| End::BOTH.map(|end| metric.at(end)));
        let names: Vec<&str> = tools.into_iter().chain(ends).collect();
        let value = prop_oneof![any::<f64>(), 0.0..1e10, Just(0.0)];
        prop::collection::vec((prop::sample::select(names), value), 0..40).prop_map(|all| {
            let mut metrics = Metrics::default();
            for (name, value) in all {
                metrics.set(name, value);
            }
            metrics
        })
    }

    proptest! {
        #[test]
        fn any_figures_give_doubts_that_can_be_told(
            metrics in any_metrics(), mss: Option<u64>, asked_s in 0.0..1e6_f64,
            warmup in 0.0..1e3_f64, flags: [bool; 3], mtu: u32,
        ) {
            let params = Params(mss.map(|mss| (Param::Mss, mss)).into_iter().collect());
            let about = Circumstances {
                asked_s,
                client_warmup_s: warmup,
                server_warmup_s: warmup,
                sweeps_mss: flags[0],
                loopback: flags[1],
                hairpin: flags[2],
                mtu,
                offloads: vec!["TSO at client".to_owned()],
            };
            let doubts = of(&params, &metrics, &about);
            for doubt in &doubts {
                prop_assert!(!doubt.figures().is_empty());
                prop_assert!(!doubt.severity().is_nan());
                let json = serde_json::to_string(doubt).unwrap();
                let back: Doubt = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(back.kind(), doubt.kind());
            }
        }

        /// What is not known is no reason for a doubt.
        #[test]
        fn no_doubt_without_its_cause(
            metrics in any_metrics(), gone in prop::sample::subsequence(CLEAN.to_vec(), 0..12),
        ) {
            let mut less = Metrics::default();
            for (name, value) in CLEAN {
                if !gone.iter().any(|(other, _)| *other == name) {
                    less.set(name, value);
                }
            }
            prop_assert_eq!(of(&params(), &less, &circumstances()), vec![]);
            for doubt in of(&params(), &metrics, &circumstances()) {
                let cause = match doubt {
                    Doubt::MssDiffers { .. } => name::EFFECTIVE_MSS,
                    Doubt::CpuSaturated { end, .. } => observed::NODE_BUSY_PERCENT.at(end),
                    Doubt::CpuStolen { end, .. } => observed::NODE_STEAL_PERCENT.at(end),
                    Doubt::Throttled { end, .. } => observed::THROTTLED_PERIODS.at(end),
                    Doubt::ElapsedOff { .. } => name::ELAPSED_S,
                    Doubt::RetransmitBurst { .. } => name::RETRANSMITS,
                    Doubt::OtherTraffic { end, .. } => observed::SENT_BYTES.at(end),
                    Doubt::Offloaded { .. } | Doubt::Loopback => unreachable!("{doubt:?}"),
                };
                prop_assert!(metrics.get(cause).is_some(), "{doubt:?}");
            }
        }

        /// A doubt does not go away when its cause grows.
        #[test]
        fn thresholds_are_monotone(from in 0.0..1.0_f64, grows in 0.0..1.0_f64) {
            let client = End::Client;
            for (metric, low, high) in [
                (observed::NODE_BUSY_PERCENT.at(client), 0.0, 100.0),
                (observed::NODE_STEAL_PERCENT.at(client), 0.0, 100.0),
                (observed::THROTTLED_PERIODS.at(client), 0.0, 100.0),
                (observed::RECEIVED_BYTES.at(client), 0.0, 4e9),
                (name::RETRANSMITS, 0.0, 1e5),
                (name::ELAPSED_S, 10.0, 20.0),
            ] {
                let at = |share: f64| kinds(&[(metric, low + share * (high - low))]);
                // More retransmissions and more time also explain more traffic.
                let lost = at(from).into_iter().find(|kind| {
                    *kind != Kind::OtherTraffic && !at((from + grows).min(1.0)).contains(kind)
                });
                prop_assert_eq!(lost, None, "{}", metric);
            }
        }
    }
}

//! A warning with its figures, its severity and its text.

use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::vanished_segment::VanishedSegment;
use crate::catalog::{Direction, Unit};
use crate::results::environment::host_metrics::End;
use crate::tools::{BlackHole, figures};

/// A reason to distrust a sample's figure, with the numbers behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
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
    /// The metric is left out.
    ImpossibleFigure {
        metric: String,
        /// As the tool gives it.
        value: String,
        /// A clause.
        why: String,
    },
    Contradicted {
        end: End,
        /// What the tool reports.
        payload_bytes: f64,
        /// By all interfaces of the end's network namespace.
        carried_bytes: f64,
    },
    SenderRate,
    OtherTraffic {
        end: End,
        /// What the tool cannot account for, over the time that was observed.
        bps: f64,
        /// Of what the tool can account for.
        percent: f64,
    },
    /// The rates are in the unit of the metric.
    Dip {
        /// By the journal's name.
        metric: String,
        /// How many intervals are so low, of those that count.
        intervals: usize,
        of: usize,
        /// When the lowest begins, in seconds from the sample's start.
        at_s: f64,
        lowest: f64,
        median: f64,
    },
    /// As of [`Warning::Dip`].
    Ramp {
        metric: String,
        /// When the first part ends.
        until_s: f64,
        /// The mean of the first part.
        first: f64,
        /// The mean of the rest.
        rest: f64,
    },
    MtuBlackHole {
        direction: Direction,
        #[serde(flatten)]
        evidence: MtuEvidence,
    },
}

/// How a black hole shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MtuEvidence {
    /// The largest IP packet that arrives.
    LargestBytes(u32),
    /// The payload of a TCP segment that did not arrive before the first sample.
    VanishedPayloadBytes(u32),
}

impl From<BlackHole> for Warning {
    fn from(found: BlackHole) -> Self {
        Warning::MtuBlackHole {
            direction: found.direction,
            evidence: MtuEvidence::LargestBytes(found.largest_bytes),
        }
    }
}

impl From<VanishedSegment> for Warning {
    fn from(found: VanishedSegment) -> Self {
        Warning::MtuBlackHole {
            direction: found.direction,
            evidence: MtuEvidence::VanishedPayloadBytes(found.payload_bytes),
        }
    }
}

impl Warning {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Warning::MssDiffers { .. } => Kind::MssDiffers,
            Warning::Offloaded { .. } => Kind::Offloaded,
            Warning::Loopback => Kind::Loopback,
            Warning::SenderRate => Kind::SenderRate,
            Warning::CpuSaturated { .. } => Kind::CpuSaturated,
            Warning::CpuStolen { .. } => Kind::CpuStolen,
            Warning::Throttled { .. } => Kind::Throttled,
            Warning::ElapsedOff { .. } => Kind::ElapsedOff,
            Warning::RetransmitBurst { .. } => Kind::RetransmitBurst,
            Warning::OtherTraffic { .. } => Kind::OtherTraffic,
            Warning::ImpossibleFigure { .. } => Kind::ImpossibleFigure,
            Warning::Contradicted { .. } => Kind::Contradicted,
            Warning::Dip { .. } => Kind::Dip,
            Warning::Ramp { .. } => Kind::Ramp,
            Warning::MtuBlackHole { .. } => Kind::MtuBlackHole,
        }
    }

    /// How bad it is, to compare warnings of one kind: a larger one is worse.
    #[must_use]
    pub fn severity(&self) -> f64 {
        match self {
            Warning::MssDiffers { asked, effective } => (*asked as f64 - effective).abs(),
            Warning::Offloaded { features } => features.len() as f64,
            Warning::Loopback | Warning::SenderRate | Warning::ImpossibleFigure { .. } => 1.0,
            Warning::Contradicted {
                payload_bytes,
                carried_bytes,
                ..
            } => payload_bytes - carried_bytes,
            Warning::CpuSaturated { busy_percent, .. } => *busy_percent,
            Warning::CpuStolen { steal_percent, .. } => *steal_percent,
            Warning::Throttled { throttled_us, .. } => *throttled_us,
            Warning::ElapsedOff { asked_s, elapsed_s } => (elapsed_s - asked_s).abs(),
            Warning::RetransmitBurst { percent, .. } | Warning::OtherTraffic { percent, .. } => {
                *percent
            }
            Warning::Dip { lowest, median, .. } => share_off(*lowest, *median),
            Warning::Ramp { first, rest, .. } => share_off(*first, *rest),
            Warning::MtuBlackHole { evidence, .. } => match evidence {
                MtuEvidence::LargestBytes(bytes) | MtuEvidence::VanishedPayloadBytes(bytes) => {
                    -f64::from(*bytes)
                }
            },
        }
    }

    /// The figures, as text.
    #[must_use]
    pub fn figures(&self) -> String {
        match self {
            Warning::MssDiffers { asked, effective } => {
                format!("{asked} bytes asked, {effective:.0} effective")
            }
            Warning::Offloaded { features } => features.join(", "),
            Warning::Loopback => "on the host network of one node".to_owned(),
            Warning::SenderRate => "UDP as nptest reports it".to_owned(),
            Warning::CpuSaturated { end, busy_percent } => {
                format!("{busy_percent:.1} % busy at the {}", end.name())
            }
            Warning::CpuStolen { end, steal_percent } => {
                format!("{steal_percent:.1} % stolen at the {}", end.name())
            }
            Warning::Throttled {
                end,
                periods,
                throttled_us,
            } => format!(
                "stopped for {:.0} ms in {periods:.0} periods at the {}",
                throttled_us / 1e3,
                end.name()
            ),
            Warning::ElapsedOff { asked_s, elapsed_s } => {
                format!("{elapsed_s:.2} s instead of {asked_s:.2} s")
            }
            Warning::RetransmitBurst {
                retransmits,
                percent,
            } => format!("{retransmits:.0} segments sent again, {percent:.1} % of all"),
            Warning::ImpossibleFigure { metric, value, why } => {
                format!("`{metric}` is {value}: {why}")
            }
            Warning::Contradicted {
                end,
                payload_bytes,
                carried_bytes,
            } => format!(
                "{payload_bytes:.0} bytes of payload, and all interfaces of the {} carried \
                 {carried_bytes:.0}",
                end.name()
            ),
            Warning::OtherTraffic { end, bps, percent } => format!(
                "at least {:.1} Mbit/s at the {}, {percent:.0} % of the sample's own",
                bps / 1e6,
                end.name()
            ),
            Warning::Dip {
                metric,
                intervals,
                of,
                at_s,
                lowest,
                median,
            } => {
                let ([median, lowest], unit) = rates(metric, [*median, *lowest]);
                format!(
                    "{lowest} {unit} at {at_s:.1} s, {median} {unit} usually; {intervals} of {of} intervals"
                )
            }
            Warning::Ramp {
                metric,
                until_s,
                first,
                rest,
            } => {
                let ([rest, first], unit) = rates(metric, [*rest, *first]);
                format!("{first} {unit} in the first {until_s:.1} s, {rest} {unit} after it")
            }
            Warning::MtuBlackHole {
                direction,
                evidence: MtuEvidence::LargestBytes(bytes),
            } => format!(
                "{}, packets larger than {bytes} bytes without an ICMP answer",
                direction.word()
            ),
            Warning::MtuBlackHole {
                direction,
                evidence: MtuEvidence::VanishedPayloadBytes(bytes),
            } => VanishedSegment {
                direction: *direction,
                payload_bytes: *bytes,
            }
            .to_string(),
        }
    }
}

/// How far a rate is off another, as a share of that one.
fn share_off(rate: f64, from: f64) -> f64 {
    let share = (rate / from - 1.0).abs();
    if share.is_finite() { share } else { 0.0 }
}

/// Two rates of a metric with one unit.
fn rates(metric: &str, values: [f64; 2]) -> ([String; 2], &'static str) {
    let (.., unit) = Unit::split_name(metric);
    let (texts, unit) = figures(unit, &values);
    let mut texts = texts.into_iter();
    let next = |_| texts.next().unwrap_or_default();
    (values.map(next), unit)
}

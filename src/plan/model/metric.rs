//! What is measured, in the words of plans: each metric with its unit and the journal's name.

use std::borrow::Cow;
use std::fmt;

use super::tools::tool::{NetperfTest, Protocol, ToolSpec};
use super::units::{BitRate, Bytes, Decimal, Duration, Percent, Quantity, UnitError, split};
use crate::diag::quote;

/// Something that a tool measures: its word in plans, the journal's name, and its unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Metric {
    word: Cow<'static, str>,
    name: Cow<'static, str>,
    unit: Unit,
}

/// What a metric's figures count, in plans and in the journal alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Bits a second; more is better.
    BitsPerSecond,
    /// Events a second; more is better.
    PerSecond,
    /// Microseconds; less is better.
    Microseconds,
    /// Parts of a hundred; less is better.
    Percent,
    /// Bytes; more is better.
    Bytes,
    /// Just a number; less is better.
    Count,
}

macro_rules! known {
    ($($constant:ident $word:literal $name:literal $unit:ident $text:literal;)*) => {
        impl Metric {
            $(#[doc = $text] pub const $constant: Metric = Metric {
                word: Cow::Borrowed($word),
                name: Cow::Borrowed($name),
                unit: Unit::$unit,
            };)*

            /// The metrics that netplan knows by itself.
            pub const KNOWN: &'static [Metric] = &[$(Metric::$constant),*];

            /// What a metric that netplan knows means, in a sentence; empty for others.
            #[must_use]
            pub fn text(&self) -> &'static str {
                $(if *self == Metric::$constant {
                    return $text;
                })*
                ""
            }
        }
    };
}

known! {
    THROUGHPUT "throughput" "throughput_bps" BitsPerSecond
        "Bits a second that arrived.";
    SENT "sent" "sent_bps" BitsPerSecond
        "Bits a second that were sent.";
    RETRANSMITS "retransmits" "retransmits" Count
        "TCP segments sent again.";
    RTT "rtt" "rtt_us" Microseconds
        "TCP's smoothed round-trip time.";
    JITTER "jitter" "jitter_us" Microseconds
        "Inter-arrival jitter of UDP (RFC 3550).";
    LOST_PERCENT "lost_percent" "lost_percent" Percent
        "Datagrams that did not arrive, in percent of those sent.";
    LATENCY_MEAN "latency.mean" "latency_us.mean" Microseconds
        "Mean time of a request and its response.";
    LATENCY_P50 "latency.p50" "latency_us.p50" Microseconds
        "Half of the requests took no longer.";
    LATENCY_P90 "latency.p90" "latency_us.p90" Microseconds
        "90 % of the requests took no longer.";
    LATENCY_P99 "latency.p99" "latency_us.p99" Microseconds
        "99 % of the requests took no longer.";
    LATENCY_MAX "latency.max" "latency_us.max" Microseconds
        "The longest time of a request and its response.";
    TRANSACTIONS_PER_S "transactions_per_s" "transactions_per_s" PerSecond
        "Requests that were answered, or connections that were made, a second.";
    CPU_CLIENT "cpu.client" "cpu_percent.client" Percent
        "CPU at the client, as the tool says it.";
    CPU_SERVER "cpu.server" "cpu_percent.server" Percent
        "CPU at the server, as the tool says it.";
    EFFECTIVE_MSS "effective_mss" "effective_mss" Bytes
        "Payload bytes of a full TCP segment.";
}

/// What netplan itself writes into journals by this name, which no declared tool may yield.
#[must_use]
pub fn of_netplan(journal: &str) -> Option<&'static str> {
    const OBSERVED: [&str; 9] = [
        "observed_s",
        "node_cpu_busy_percent",
        "node_cpu_steal_percent",
        "cgroup_throttled_periods",
        "cgroup_throttled_us",
        "interface_sent_bytes",
        "interface_received_bytes",
        "interface_sent_packets",
        "interface_received_packets",
    ];
    let at_end = journal.split_once('.');
    match journal {
        "found_rate_bps" => Some("the rate that `find` finds"),
        "elapsed_s" => Some("how long a built-in tool measured"),
        _ if at_end.is_some_and(|(name, end)| {
            OBSERVED.contains(&name) && matches!(end, "client" | "server")
        }) =>
        {
            Some("what workers observe around samples")
        }
        _ => None,
    }
}

impl Metric {
    /// The metric that netplan knows by this word.
    #[must_use]
    pub fn known(word: &str) -> Option<Metric> {
        Metric::KNOWN.iter().find(|m| m.word == word).cloned()
    }

    /// A metric of a declared tool: the one that netplan knows by this word, when the unit is the
    /// same. In the journal each carries its unit: `stall.p99` in microseconds is `stall_us.p99`.
    #[must_use]
    pub fn declared(word: &str, unit: Unit) -> Metric {
        if let Some(known) = Metric::known(word).filter(|known| known.unit == unit) {
            return known;
        }
        let (head, rest) = word.split_at(word.find('.').unwrap_or(word.len()));
        let suffix = unit.suffix();
        let head = head.strip_suffix(suffix).unwrap_or(head);
        Metric {
            word: Cow::Owned(word.to_owned()),
            name: Cow::Owned(format!("{head}{suffix}{rest}")),
            unit,
        }
    }

    /// As plans write it: `latency.p99`.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// As the journal writes it: `latency_us.p99`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

impl Unit {
    /// What the journal's names of such metrics have behind their first part.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Unit::BitsPerSecond => "_bps",
            Unit::PerSecond => "_per_s",
            Unit::Microseconds => "_us",
            Unit::Percent => "_percent",
            Unit::Bytes => "_bytes",
            Unit::Count => "",
        }
    }

    /// Whether a larger figure is the better one.
    #[must_use]
    pub fn more_is_better(self) -> bool {
        matches!(self, Unit::BitsPerSecond | Unit::PerSecond | Unit::Bytes)
    }

    /// How a figure is written in plans.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Unit::BitsPerSecond => "9 Gbit/s",
            Unit::PerSecond => "20000",
            Unit::Microseconds => "500us",
            Unit::Percent => "0.1",
            Unit::Bytes => "1448",
            Unit::Count => "100",
        }
    }

    /// A figure as a plan writes it, in the journal's unit.
    ///
    /// # Errors
    /// What is no figure of this unit, and how it would be right.
    pub fn parse(self, text: &str) -> Result<f64, UnitError> {
        match self {
            Unit::BitsPerSecond => match split::<BitRate>(text)? {
                (number, "") => Err(UnitError {
                    what: format!("{} has no unit", quote(text.trim())),
                    help: format!("write `{0} Gbit/s`, `{0} Mbit/s` or the like", number.text),
                }),
                _ => limited(text, BitRate::parse(text)?.0, 1_000_000_000_000_000),
            },
            Unit::Microseconds => {
                let micros = Duration::parse(text)?.0.as_micros();
                let micros = u64::try_from(micros).unwrap_or(u64::MAX);
                limited(text, micros, 86_400_000_000)
            }
            Unit::Percent if text.trim_end().ends_with('%') => Ok(Percent::parse(text)?.0),
            Unit::Bytes => limited(text, Bytes::parse(text)?.0, 1 << 50),
            Unit::Percent | Unit::PerSecond | Unit::Count => self.plain(text),
        }
    }

    /// A number without a unit of its own.
    fn plain(self, text: &str) -> Result<f64, UnitError> {
        let (number, unit) = split::<Plain>(text)?;
        match (unit, number.text.parse::<f64>()) {
            ("", Ok(value)) => Ok(value),
            _ => Err(UnitError {
                what: format!(
                    "{} in {} does not belong there",
                    quote(unit),
                    quote(text.trim())
                ),
                help: match self {
                    Unit::Percent => format!("percent are a number, as in `{}`", number.text),
                    _ => format!("this is a plain number: write `{}`", number.text),
                },
            }),
        }
    }

    /// A figure as [`Unit::parse`] reads it.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        // What was parsed is whole and far below 2⁵³.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and what was parsed fits"
        )]
        let whole = value.round() as u64;
        match self {
            Unit::BitsPerSecond => BitRate(whole).to_string(),
            Unit::Microseconds => Duration(std::time::Duration::from_micros(whole)).to_string(),
            Unit::Bytes => Bytes(whole).to_string(),
            Unit::Percent | Unit::PerSecond | Unit::Count => value.to_string(),
        }
    }
}

/// Beyond 2⁵³ a figure could not be told from its neighbours.
fn limited(text: &str, value: u64, most: u64) -> Result<f64, UnitError> {
    if value > most {
        return Err(UnitError {
            what: format!("{} is out of range", quote(text.trim())),
            help: "nothing measured gets there".to_owned(),
        });
    }
    Ok(value as f64)
}

/// A number without a unit.
struct Plain;

impl Quantity for Plain {
    const NAME: &'static str = "a number";
    const OF: &'static str = "count";
    const EXAMPLE: &'static str = "`100` or `0.1`";

    fn parse(text: &str) -> Result<Plain, UnitError> {
        let _: (Decimal<'_>, &str) = split::<Plain>(text)?;
        Ok(Plain)
    }
}

impl ToolSpec {
    /// What a sample of this tool says, as far as the kernels of both ends tell it.
    #[must_use]
    pub fn measures(&self) -> Vec<Metric> {
        let mut metrics = match self {
            ToolSpec::Iperf3(iperf3) => match iperf3.protocol {
                Protocol::Tcp => vec![
                    Metric::THROUGHPUT,
                    Metric::SENT,
                    Metric::RETRANSMITS,
                    Metric::RTT,
                    Metric::EFFECTIVE_MSS,
                ],
                Protocol::Udp => vec![
                    Metric::THROUGHPUT,
                    Metric::SENT,
                    Metric::LOST_PERCENT,
                    Metric::JITTER,
                ],
            },
            ToolSpec::Netperf(netperf) => match netperf.test {
                NetperfTest::TcpStream => vec![
                    Metric::THROUGHPUT,
                    Metric::SENT,
                    Metric::RETRANSMITS,
                    Metric::EFFECTIVE_MSS,
                ],
                NetperfTest::UdpStream => {
                    vec![Metric::THROUGHPUT, Metric::SENT, Metric::LOST_PERCENT]
                }
                NetperfTest::TcpRr | NetperfTest::TcpCrr | NetperfTest::UdpRr => {
                    let mut metrics = vec![
                        Metric::TRANSACTIONS_PER_S,
                        Metric::LATENCY_MEAN,
                        Metric::LATENCY_P50,
                        Metric::LATENCY_P90,
                        Metric::LATENCY_P99,
                        Metric::LATENCY_MAX,
                    ];
                    if netperf.test == NetperfTest::TcpRr {
                        metrics.push(Metric::RETRANSMITS);
                    }
                    if netperf.test != NetperfTest::UdpRr {
                        metrics.push(Metric::EFFECTIVE_MSS);
                    }
                    metrics
                }
            },
            ToolSpec::Declared(used) => return used.tool.all_metrics().collect(),
        };
        metrics.extend([Metric::CPU_CLIENT, Metric::CPU_SERVER]);
        metrics
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_read_in_the_journals_unit() {
        assert_eq!(Unit::BitsPerSecond.parse("9 Gbit/s"), Ok(9e9));
        assert_eq!(Unit::Microseconds.parse("1.5ms"), Ok(1500.0));
        assert_eq!(Unit::Percent.parse("0.1"), Ok(0.1));
        assert_eq!(Unit::Percent.parse("0.1%"), Ok(0.1));
        assert_eq!(Unit::Count.parse("100"), Ok(100.0));
        let help = |unit: Unit, text| unit.parse(text).map_err(|error| error.help);
        assert_eq!(
            help(Unit::BitsPerSecond, "9"),
            Err("write `9 Gbit/s`, `9 Mbit/s` or the like".to_owned())
        );
        assert_eq!(
            help(Unit::Count, "5%"),
            Err("this is a plain number: write `5`".to_owned())
        );
        for unit in [Unit::Count, Unit::Percent, Unit::Microseconds] {
            assert!(unit.parse("9 Gbit/s").is_err() && unit.parse("-1").is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(value in 0..1_000_000_u32, thousandths in 0..1000_u32) {
            for metric in Metric::KNOWN {
                let unit = metric.unit();
                let whole = f64::from(value);
                prop_assert_eq!(Metric::known(metric.word()), Some(metric.clone()));
                if unit == Unit::BitsPerSecond {
                    prop_assert_eq!(unit.parse(&unit.show(whole * 1e6)), Ok(whole * 1e6));
                } else {
                    prop_assert_eq!(unit.parse(&unit.show(whole)), Ok(whole));
                }
            }
            let part = f64::from(value) + f64::from(thousandths) / 1000.0;
            prop_assert_eq!(Unit::Percent.parse(&Unit::Percent.show(part)), Ok(part));
        }
    }
}

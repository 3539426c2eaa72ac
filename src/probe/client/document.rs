//! Records of a measurement → the document that is printed.

use std::time::Duration;

use super::connects;
use super::detail::Detail;
use super::packets::{Delays, Packets};
use crate::probe::clock::Nanos;
use crate::probe::record::gaps::{Gap, Gaps};
use crate::probe::record::intervals::Intervals;
use crate::probe::record::latency::Latencies;
use crate::probe::record::silence::{Silence, shortest_gap};
use crate::tools::probe_output as output;

/// All that was recorded.
#[derive(Debug)]
pub(super) struct Recorded<'a> {
    /// When the measurement began, by the clock of the probe; in nanoseconds since 1970.
    pub start: Nanos,
    pub began_at: Nanos,
    pub lasted: Nanos,
    pub packets: &'a Packets,
    pub packet_delays: Delays,
    pub connects: Option<(Nanos, connects::Record)>,
    /// Their length, where they were recorded.
    pub intervals: Option<Nanos>,
    pub client_cpu: Duration,
    /// That the process measured at the same time.
    pub paths: usize,
    pub server_cpu: Option<Duration>,
    /// The wall time for which CPU time was counted.
    pub wall: Duration,
}

impl Recorded<'_> {
    pub(super) fn document(self) -> output::Document {
        let Self { start, packets, .. } = self;
        let interval = packets.interval;
        let gaps = |silence: &Silence<Detail>, interval| gaps(&silence.gaps, start, interval);
        let udp = packets.udp.as_ref().map(|udp| {
            let record = &udp.record;
            output::Udp {
                interval_us: us(interval),
                sent: record.sent,
                answered: record.sequence.arrived,
                duplicates: record.sequence.duplicates,
                reordered: record.sequence.reordered,
                latency: record.latencies.summary(),
                gaps: gaps(&record.silence, interval),
            }
        });
        let tcp = packets.tcp.as_ref().map(|tcp| {
            let record = &tcp.record;
            output::Tcp {
                interval_us: us(interval),
                sent: record.sent,
                answered: record.answered,
                broken: record.broken,
                survived: record.survived,
                latency: record.latencies.summary(),
                gaps: gaps(&record.silence, interval),
            }
        });
        let connect = self
            .connects
            .as_ref()
            .map(|(interval, record)| output::Connect {
                interval_us: us(*interval),
                tried: record.tried,
                made: record.made,
                failed: record.failed,
                latency: record.latencies.summary(),
                gaps: gaps(&record.silence, *interval),
            });
        // Where it sends nothing but connections, these were late.
        let sends_packets = udp.is_some() || tcp.is_some();
        let (late, interval) = match &self.connects {
            Some((interval, record)) if !sends_packets => (&record.late, *interval),
            _ => (&self.packet_delays, interval),
        };
        let percent = |cpu: Duration| cpu.as_secs_f64() / self.wall.as_secs_f64().max(1e-9) * 100.0;
        let udp_delays = packets.udp.as_ref().map(|udp| &udp.record.server_delays);
        let tcp_delays = packets.tcp.as_ref().map(|tcp| &tcp.record.server_delays);
        let intervals = self.intervals.map(|length| self.of_intervals(length));
        output::Document {
            netplan_probe: output::FORMAT,
            began_at_us: us(self.began_at),
            duration_s: Duration::from_nanos(self.lasted).as_secs_f64(),
            udp,
            tcp,
            connect,
            mtu: None,
            intervals,
            client: output::Client {
                cpu_percent: percent(self.client_cpu),
                paths: self.paths,
                delay: late.delays.summary(),
                stalls: self::gaps(&late.stalls, start, interval),
            },
            server: self.server_cpu.map(|cpu| output::Server {
                cpu_percent: percent(cpu),
                delay: udp_delays.or(tcp_delays).and_then(Latencies::summary),
            }),
        }
    }

    fn of_intervals(&self, length: Nanos) -> output::Intervals {
        let Packets { udp, tcp, .. } = self.packets;
        let udp = udp.as_ref().and_then(|udp| udp.record.intervals.as_ref());
        let tcp = tcp.as_ref().and_then(|tcp| tcp.record.intervals.as_ref());
        let connects = self.connects.as_ref();
        let connects = connects.and_then(|(_, record)| record.intervals.as_ref());
        output::Intervals {
            netplan_probe_intervals: output::FORMAT,
            length_us: us(length),
            udp: udp.map(Intervals::summary),
            tcp: tcp.map(Intervals::summary),
            connect: connects.map(Intervals::summary),
        }
    }
}

fn gaps(gaps: &Gaps<Detail>, start: Nanos, interval: Nanos) -> output::Gaps {
    let listed = gaps.in_order().into_iter().map(|gap| {
        let Gap {
            from,
            length,
            detail,
        } = gap;
        output::Gap {
            at_us: us(from.saturating_sub(start)),
            length_us: us(length),
            connection: detail.connection,
            open: detail.open,
        }
    });
    output::Gaps {
        shortest_us: us(shortest_gap(interval)),
        count: gaps.count,
        total_us: us(gaps.total),
        longest_us: us(gaps.longest),
        listed: listed.collect(),
    }
}

fn us(nanos: Nanos) -> u64 {
    nanos / 1_000
}

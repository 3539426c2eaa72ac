//! Sends packets at fixed times and reads the answers, over UDP, TCP or both.
//!
//! A turn reads what came since the last one, with the kernel's stamps, and sends. To wake for each answer would cost twice
//! as much and tell nothing more.

use super::detail::Detail;
use super::tcp::Tcp;
use super::udp::Udp;
use super::window::Window;
use crate::probe::clock::{Clock, Nanos, SECOND};
use crate::probe::record::gaps::{Gap, Gaps};
use crate::probe::record::latency::Latencies;
use crate::probe::record::pace::Pace;
use crate::probe::record::silence::shortest_gap;

/// How long answers may take after the last packet.
pub(super) const LINGER: Nanos = SECOND;

/// Sockets to one server.
#[derive(Debug)]
pub(super) struct Packets {
    pub udp: Option<Udp>,
    pub tcp: Option<Tcp>,
    pub interval: Nanos,
}

/// How late this process was.
#[derive(Debug, Default)]
pub(super) struct Delays {
    pub delays: Latencies,
    pub stalls: Gaps<Detail>,
}

/// Packets that are sent and read, a turn at a time.
#[derive(Debug)]
pub(super) struct Exchange {
    packets: Packets,
    pace: Pace,
    end: Nanos,
    late: Delays,
}

impl Exchange {
    /// Begins one in this time, whose packets carry this token.
    pub(super) fn begin(mut packets: Packets, token: u64, window: Window) -> Self {
        let Packets { udp, tcp, interval } = &mut packets;
        if let Some(udp) = udp {
            udp.begin(token, window, *interval);
        }
        if let Some(tcp) = tcp {
            tcp.begin(token, window, *interval);
        }
        Self {
            pace: Pace::new(window.start, *interval),
            packets,
            end: window.end,
            late: Delays::default(),
        }
    }

    /// When the next turn is due.
    pub(super) fn due(&self) -> Nanos {
        self.pace.due()
    }

    /// Whether nothing is left to send, and to wait for.
    pub(super) fn is_over(&self) -> bool {
        let Packets { udp, tcp, .. } = &self.packets;
        let awaits = udp.as_ref().is_some_and(Udp::awaits) || tcp.as_ref().is_some_and(Tcp::awaits);
        let due = self.due();
        due >= self.end && (!awaits || due >= self.end.saturating_add(LINGER))
    }

    /// Takes the turn that is due: reads what came since the last one, and sends.
    pub(super) fn turn(&mut self, clock: Clock) {
        let due = self.due();
        let now = clock.now();
        let turn = self.pace.take(now);
        let Packets { udp, tcp, interval } = &mut self.packets;
        // Before the stall is noted: they may have come before or in it.
        if let Some(udp) = udp {
            udp.receive(clock);
        }
        if let Some(tcp) = tcp {
            tcp.receive(clock);
        }
        self.late.note(due, turn.late, turn.missed, *interval);
        if due >= self.end {
            return;
        }
        if let Some(udp) = udp {
            udp.record.silence.send(due, turn.missed, now);
            udp.send(now);
        }
        if let Some(tcp) = tcp {
            tcp.record.silence.send(due, turn.missed, now);
            tcp.send(now);
        }
    }

    /// Ends the measurement: the packets with their records, and how late the turns were.
    pub(super) fn end(self) -> (Packets, Delays) {
        let Self {
            mut packets,
            end,
            late,
            ..
        } = self;
        if let Some(udp) = &mut packets.udp {
            let detail = Detail {
                open: true,
                ..Detail::default()
            };
            udp.record.silence.end(end, detail);
        }
        if let Some(tcp) = &mut packets.tcp {
            tcp.record.end(end);
        }
        (packets, late)
    }
}

impl Delays {
    /// A turn was so late, and so much time was missed.
    pub(super) fn note(&mut self, due: Nanos, late: Nanos, missed: Nanos, interval: Nanos) {
        self.delays.add(late);
        if missed >= shortest_gap(interval) {
            self.stalls.add(Gap {
                from: due,
                length: missed,
                detail: Detail::default(),
            });
        }
    }
}

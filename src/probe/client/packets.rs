//! Sends packets at fixed times and reads the answers, over UDP, TCP or both.
//!
//! One thread wakes once for each turn: it reads what came since the last one, with the kernel's stamps, and sends. To wake for
//! each answer would cost twice as much and tell nothing more.

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

impl Packets {
    /// Sends and reads for this time; how late the turns were.
    pub(super) fn measure(&mut self, token: u64, window: Window, clock: Clock) -> Delays {
        let Window { start, end, .. } = window;
        let Packets { udp, tcp, interval } = self;
        if let Some(udp) = udp {
            udp.begin(token, window, *interval);
        }
        if let Some(tcp) = tcp {
            tcp.begin(token, window, *interval);
        }
        let mut late = Delays::default();
        let mut pace = Pace::new(start, *interval);
        loop {
            let due = pace.due();
            let is_over = due >= end;
            let awaits =
                udp.as_ref().is_some_and(Udp::awaits) || tcp.as_ref().is_some_and(Tcp::awaits);
            if is_over && (!awaits || due >= end + LINGER) {
                break;
            }
            clock.sleep_until(due);
            let now = clock.now();
            let turn = pace.take(now);
            // Before the stall is noted: they may have come before or in it.
            if let Some(udp) = udp {
                udp.receive(clock);
            }
            if let Some(tcp) = tcp {
                tcp.receive(clock);
            }
            late.note(due, turn.late, turn.missed, *interval);
            if is_over {
                continue;
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
        if let Some(udp) = udp {
            let detail = Detail {
                open: true,
                ..Detail::default()
            };
            udp.record.silence.end(end, detail);
        }
        if let Some(tcp) = tcp {
            tcp.record.end(end);
        }
        late
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

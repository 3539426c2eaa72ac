//! The thread that sends and reads the packets of all paths of this process.
//!
//! All windows begin at a multiple of the interval, so that paths with the same interval share one wake-up a turn: it costs more
//! than to send a packet.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::packets::{Delays, Exchange, Packets};
use super::window::Window;
use crate::probe::clock::{Clock, Nanos};
use crate::probe::cost::thread_cpu_time;

/// The thread, which ends with this.
#[derive(Clone, Debug)]
pub(super) struct Pump {
    tasks: Sender<Task>,
    clock: Clock,
}

/// Packets to measure.
#[derive(Debug)]
struct Task {
    exchange: Exchange,
    done: Sender<Pumped>,
}

/// Packets that were measured.
#[derive(Debug)]
pub(super) struct Pumped {
    pub packets: Packets,
    pub delays: Delays,
    /// The thread's CPU time; of what several paths had in common, an equal share.
    pub cpu: Duration,
    /// The most paths that were measured at the same time.
    pub paths: usize,
}

/// A task under way.
#[derive(Debug)]
struct Active {
    task: Task,
    cpu: Duration,
    paths: usize,
}

impl Pump {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn start(clock: Clock) -> io::Result<Self> {
        let (tasks, received) = channel();
        let thread = thread::Builder::new().name("packets".to_owned());
        thread.spawn(move || work(&received, clock))?;
        Ok(Self { tasks, clock })
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// The next time at which a window may begin.
    pub(super) fn next_start(&self, interval: Nanos) -> Nanos {
        next_multiple(self.clock.now(), interval)
    }

    /// Sends and reads packets that carry this token in this time. Blocks until it is over.
    ///
    /// # Errors
    /// When the thread has ended, which is a fault of this program.
    pub(super) fn measure(
        &self,
        packets: Packets,
        token: u64,
        window: Window,
    ) -> io::Result<Pumped> {
        let ended = || io::Error::other("the thread that sends packets has ended");
        let (done, measured) = channel();
        let exchange = Exchange::begin(packets, token, window);
        let sent = self.tasks.send(Task { exchange, done });
        sent.map_err(|_| ended())?;
        measured.recv().map_err(|_| ended())
    }
}

/// The first multiple of an interval after a time.
fn next_multiple(time: Nanos, interval: Nanos) -> Nanos {
    let interval = interval.max(1);
    (time / interval + 1).saturating_mul(interval)
}

/// Takes the turns of all tasks, until there are none and no more can come.
fn work(tasks: &Receiver<Task>, clock: Clock) {
    let mut active: Vec<Active> = Vec::new();
    let mut counted = thread_cpu_time();
    loop {
        let new = if active.is_empty() {
            match tasks.recv() {
                Ok(task) => Some(task),
                Err(_) => return,
            }
        } else {
            tasks.try_recv().ok()
        };
        if let Some(task) = new {
            share_cost(&mut active, &mut counted);
            let (cpu, paths) = (Duration::ZERO, 0);
            active.push(Active { task, cpu, paths });
            let paths = active.len();
            for it in &mut active {
                it.paths = it.paths.max(paths);
            }
            continue;
        }
        if active.iter().any(|it| it.task.exchange.is_over()) {
            share_cost(&mut active, &mut counted);
            let over = active.extract_if(.., |it| it.task.exchange.is_over());
            over.for_each(Active::deliver);
            continue;
        }
        let due = active.iter().map(|it| it.task.exchange.due()).min();
        clock.sleep_until(due.unwrap_or_default());
        for it in &mut active {
            if it.task.exchange.due() <= clock.now() {
                it.task.exchange.turn(clock);
            }
        }
    }
}

/// Adds this thread's CPU time since the last call to the tasks, each an equal share.
fn share_cost(active: &mut [Active], counted: &mut Duration) {
    let now = thread_cpu_time();
    let spent = now.saturating_sub(*counted);
    *counted = now;
    let tasks = u32::try_from(active.len()).unwrap_or(u32::MAX).max(1);
    for it in active {
        it.cpu += spent / tasks;
    }
}

impl Pumped {
    /// Nothing was to be sent.
    pub(super) fn nothing(packets: Packets) -> Self {
        Self {
            packets,
            delays: Delays::default(),
            cpu: Duration::ZERO,
            paths: 1,
        }
    }
}

impl Active {
    fn deliver(self) {
        let (packets, delays) = self.task.exchange.end();
        let pumped = Pumped {
            packets,
            delays,
            cpu: self.cpu,
            paths: self.paths,
        };
        // Nobody waits for it any more: then nobody misses it.
        let _ = self.task.done.send(pumped);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn windows_of_one_interval_begin_in_step(a in 0..1_u64 << 40, b in 0..1_u64 << 40, interval in 1..1_u64 << 30) {
            let [first, second] = [a, b].map(|time| next_multiple(time, interval));
            prop_assert!(first > a && first - a <= interval);
            prop_assert_eq!(first.abs_diff(second) % interval, 0);
        }
    }
}

//! What happens around a tool: the node's CPU, the pod's throttling, the traffic of its interface.
//!
//! Read once before and once after, so that nothing runs on the machine while the sample does.
//! Whatever cannot be read stays unknown: an observation never fails a sample.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use nix::net::if_::if_nametoindex;
use tokio::time::Instant;

use super::host_info;
use super::kernel::interface;
use crate::rpc::pb::{Cpu, Observed, Throttling, Traffic};
use crate::worker::kernel::interface_totals::{Interfaces, difference};

/// Where to look; found out once.
#[derive(Debug, Default)]
pub struct Observer {
    /// Index of the interface that carries the pod's address.
    interface: Option<u32>,
    /// The `cpu.stat` of the pod's own cgroup and of those above it.
    cpu_stats: Vec<PathBuf>,
}

/// The counters at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    at: Instant,
    cpu: Option<CpuTimes>,
    throttling: Option<Throttling>,
    traffic: Option<Traffic>,
    /// Of each interface of the network namespace.
    interfaces: Interfaces,
}

impl Observer {
    /// An observer of the pod with this address.
    #[must_use]
    pub fn new(pod_ip: IpAddr) -> Self {
        let membership = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self {
            interface: host_info::interface_with(pod_ip)
                .and_then(|name| if_nametoindex(name.as_str()).ok()),
            cpu_stats: cpu_stats(Path::new("/sys/fs/cgroup"), &membership),
        }
    }

    /// The counters now.
    #[must_use]
    pub fn read(&self) -> Reading {
        let throttlings: Vec<Throttling> = self
            .cpu_stats
            .iter()
            .filter_map(|path| throttling(&std::fs::read_to_string(path).ok()?))
            .collect();
        Reading {
            at: Instant::now(),
            cpu: std::fs::read_to_string("/proc/stat")
                .ok()
                .and_then(|stat| cpu_times(&stat)),
            throttling: throttlings.into_iter().reduce(|a, b| Throttling {
                periods: a.periods.saturating_add(b.periods),
                throttled_us: a.throttled_us.saturating_add(b.throttled_us),
            }),
            traffic: self.interface.and_then(interface::traffic_of),
            interfaces: Interfaces::read(),
        }
    }

    /// What happened since an earlier reading.
    #[must_use]
    pub fn since(&self, before: &Reading) -> Observed {
        between(before, &self.read())
    }
}

/// The difference of two readings. A counter that went back (an interface made anew, a CPU taken
/// out) says nothing.
fn between(before: &Reading, after: &Reading) -> Observed {
    let window = after.at.saturating_duration_since(before.at);
    let cpu = before.cpu.zip(after.cpu).and_then(|(a, b)| share(a, b));
    let throttling = before.throttling.zip(after.throttling).and_then(|(a, b)| {
        Some(Throttling {
            periods: b.periods.checked_sub(a.periods)?,
            throttled_us: b.throttled_us.checked_sub(a.throttled_us)?,
        })
    });
    let traffic = before.traffic.zip(after.traffic);
    Observed {
        window_us: u64::try_from(window.as_micros()).unwrap_or(u64::MAX),
        cpu,
        throttling,
        traffic: traffic.and_then(|(a, b)| difference(a, b)),
        all_traffic: after.interfaces.since(&before.interfaces),
    }
}

/// Times of all CPUs together since the node's start, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CpuTimes {
    total: u64,
    /// Idle, and idle while a disk was waited for.
    idle: u64,
    steal: u64,
}

/// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)).
/// The guests' times that follow are in user and nice already.
fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let mut words = stat.lines().next()?.split_whitespace();
    if words.next()? != "cpu" {
        return None;
    }
    let mut times = [0_u64; 8];
    for (time, word) in times.iter_mut().zip(words) {
        *time = word.parse().ok()?;
    }
    let total = times.iter().try_fold(0_u64, |sum, t| sum.checked_add(*t))?;
    let [_, _, _, idle, iowait, _, _, steal] = times;
    (total > 0).then_some(CpuTimes {
        total,
        idle: idle.checked_add(iowait)?,
        steal,
    })
}

fn share(before: CpuTimes, after: CpuTimes) -> Option<Cpu> {
    let total = after.total.checked_sub(before.total).filter(|t| *t > 0)?;
    // iowait is known to go back now and then (proc(5)).
    let idle = after.idle.saturating_sub(before.idle).min(total);
    let steal = after.steal.saturating_sub(before.steal).min(total);
    let percent = |ticks: u64| (100.0 * ticks as f64 / total as f64).min(100.0);
    Some(Cpu {
        busy_percent: percent(total - idle),
        steal_percent: percent(steal),
    })
}

/// The `cpu.stat` files that tell of this process, by `/proc/self/cgroup` (cgroups(7)): of version 2
/// (`0::/path`), else of version 1's controller `cpu`. A container mostly sees its own cgroup as the
/// root; where its membership names a path that it cannot see, the root is its own all the same.
fn cpu_stats(root: &Path, membership: &str) -> Vec<PathBuf> {
    let entries = membership.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let mounts = entries.filter_map(|(controllers, path)| {
        if controllers.is_empty() {
            Some((root.to_owned(), path))
        } else if controllers.split(',').any(|name| name == "cpu") {
            let joined = root.join(controllers);
            let mount = if joined.is_dir() {
                joined
            } else {
                root.join("cpu")
            };
            Some((mount, path))
        } else {
            None
        }
    });
    // Those without throttling, such as version 2's root, say nothing and are not read again.
    let of_mount = |(mount, path): (PathBuf, &str)| -> Vec<PathBuf> {
        Path::new(path.trim_start_matches('/'))
            .ancestors()
            .map(|ancestor| mount.join(ancestor).join("cpu.stat"))
            .filter(|file| {
                std::fs::read_to_string(file).is_ok_and(|text| throttling(&text).is_some())
            })
            .collect()
    };
    mounts
        .map(of_mount)
        .find(|files| !files.is_empty())
        .unwrap_or_default()
}

/// `nr_throttled` with `throttled_usec` (version 2) or `throttled_time`, in nanoseconds (version 1).
fn throttling(cpu_stat: &str) -> Option<Throttling> {
    let value = |wanted: &str| {
        cpu_stat.lines().find_map(|line| {
            let (key, value) = line.split_once(' ')?;
            if key == wanted {
                value.trim().parse::<u64>().ok()
            } else {
                None
            }
        })
    };
    Some(Throttling {
        periods: value("nr_throttled")?,
        throttled_us: value("throttled_usec").or_else(|| Some(value("throttled_time")? / 1000))?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAT: &str = "cpu  100 5 50 800 20 3 7 15 40 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n";

    #[test]
    fn the_share_of_a_node_is_what_was_neither_idle_nor_waiting() {
        let before = cpu_times(STAT).unwrap();
        assert_eq!(
            before,
            CpuTimes {
                total: 1000,
                idle: 820,
                steal: 15
            }
        );
        let after = cpu_times("cpu 160 5 60 820 25 3 7 20\n").unwrap();
        let cpu = share(before, after).unwrap();
        assert!((cpu.busy_percent - 75.0).abs() < 1e-9, "{cpu:?}");
        assert!((cpu.steal_percent - 5.0).abs() < 1e-9, "{cpu:?}");
        assert_eq!(share(before, before), None);
        assert_eq!(cpu_times("intr 1 2 3\n"), None);
    }

    #[test]
    fn throttling_is_read_of_both_versions() {
        let v2 = "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 1500\nnr_bursts 0\n";
        let v1 = "nr_periods 9\nnr_throttled 3\nthrottled_time 1500000\n";
        let expected = Throttling {
            periods: 3,
            throttled_us: 1500,
        };
        assert_eq!(throttling(v2), Some(expected));
        assert_eq!(throttling(v1), Some(expected));
        // The root of version 2 has no bandwidth control.
        assert_eq!(throttling("usage_usec 5\nuser_usec 3\n"), None);
    }

    #[test]
    fn a_process_finds_its_cgroup_of_either_version() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let make = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let stat = "nr_throttled 0\nthrottled_usec 0\n";
        make("cpu.stat", "usage_usec 1\n");
        make("a/cpu.stat", stat);
        make("a/b/cpu.stat", stat);
        assert_eq!(
            cpu_stats(root, "0::/a/b\n"),
            [root.join("a/b/cpu.stat"), root.join("a/cpu.stat")]
        );
        let stat = "nr_throttled 0\nthrottled_time 0\n";
        make("cpu,cpuacct/cpu.stat", stat);
        // The path is the host's, which the container does not see.
        let membership = "3:memory:/x\n2:cpu,cpuacct:/kubepods/pod1\n0::/nowhere\n";
        assert_eq!(
            cpu_stats(root, membership),
            [root.join("cpu,cpuacct/cpu.stat")]
        );
        assert_eq!(cpu_stats(root, ""), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_counter_that_went_back_says_nothing() {
        let traffic = |n| Traffic {
            received_bytes: n,
            sent_bytes: 100,
            received_packets: 1,
            sent_packets: 1,
        };
        let reading = |n| Reading {
            at: Instant::now(),
            cpu: None,
            throttling: None,
            traffic: Some(traffic(n)),
            interfaces: Interfaces::default(),
        };
        let observed = between(&reading(50), &reading(80)).traffic.unwrap();
        assert_eq!((observed.received_bytes, observed.sent_bytes), (30, 0));
        assert_eq!(between(&reading(80), &reading(50)).traffic, None);
    }

    #[test]
    fn this_machine_is_observed() {
        let observer = Observer::new(IpAddr::from([127, 0, 0, 1]));
        let before = observer.read();
        assert!(
            before.cpu.is_some() && before.traffic.is_some(),
            "{before:?}"
        );
        assert!(observer.since(&before).all_traffic.is_some());
    }

    proptest! {
        #[test]
        fn any_text_and_any_counters_give_shares_or_nothing(
            text: String, times: [u64; 6], numbers in prop::collection::vec(any::<u64>(), 0..12),
        ) {
            let _ = (throttling(&text), cpu_stats(Path::new("/nonexistent"), &text));
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            let _ = (cpu_times(&text), cpu_times(&format!("cpu {}", numbers.join(" "))));
            let [total, idle, steal, total2, idle2, steal2] = times;
            let cpu = share(CpuTimes { total, idle, steal }, CpuTimes { total: total2, idle: idle2, steal: steal2 });
            if let Some(cpu) = cpu {
                prop_assert!((0.0..=100.0).contains(&cpu.busy_percent));
                prop_assert!((0.0..=100.0).contains(&cpu.steal_percent));
            }
        }
    }
}

//! Facts about a worker's host and pod, gathered once before it joins.
//!
//! A fact that cannot be found stays empty: these facts describe a run, they never prevent it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::SockaddrStorage;
use nix::sys::utsname::{UtsName, uname};

use super::kernel::interface;
use super::tool_process::programs;
use crate::results::environment::{EMULATED_VARIABLE, WorkerEnvironment};
use crate::tools::names_tcp;
use crate::worker::tool_process::programs::output_of;

/// Gathers the facts; asks all programs for their versions at once. `declared` are the programs of tools
/// that the plan declares.
pub async fn gather(pod_ip: IpAddr, declared: &[String]) -> WorkerEnvironment {
    let interface = interface_with(pod_ip).unwrap_or_default();
    let (features, tools) = tokio::join!(
        output_of(["ethtool", "-k", &interface]),
        programs::versions(),
    );
    let system = uname().ok();
    let said = |word: fn(&UtsName) -> &OsStr| {
        system
            .as_ref()
            .map(|system| word(system).to_string_lossy().into_owned())
    };
    WorkerEnvironment {
        kernel: said(UtsName::release).unwrap_or_default(),
        os: ["/etc/os-release", "/usr/lib/os-release"]
            .iter()
            .find_map(|path| pretty_name(&text_of(path)))
            .unwrap_or_default(),
        architecture: said(UtsName::machine).unwrap_or_default(),
        cpu: cpu_model(&text_of("/proc/cpuinfo")).unwrap_or_default(),
        cores: online_processors(&text_of("/sys/devices/system/cpu/online"))
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .map_or(0, |cores| u32::try_from(cores).unwrap_or(u32::MAX)),
        memory_bytes: memory_bytes(&text_of("/proc/meminfo")).unwrap_or_default(),
        mtu: if_nametoindex(interface.as_str())
            .ok()
            .and_then(interface::mtu_of)
            .unwrap_or_default(),
        offloads: offloads(&features.unwrap_or_default()),
        congestion_control: text_of("/proc/sys/net/ipv4/tcp_congestion_control")
            .trim()
            .to_owned(),
        interface,
        tools,
        programs: programs::files(declared),
        etc_protocols_names_tcp: Some(names_tcp(&text_of("/etc/protocols"))),
        emulated: std::env::var_os(EMULATED_VARIABLE).is_some(),
    }
}

fn text_of(path: &str) -> String {
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The interface that has this address.
pub(super) fn interface_with(address: IpAddr) -> Option<String> {
    getifaddrs().ok()?.find_map(|interface| {
        let storage: SockaddrStorage = interface.address?;
        let own = match address {
            IpAddr::V4(v4) => storage.as_sockaddr_in().is_some_and(|own| own.ip() == v4),
            IpAddr::V6(v6) => storage.as_sockaddr_in6().is_some_and(|own| own.ip() == v6),
        };
        own.then_some(interface.interface_name)
    })
}

/// `PRETTY_NAME` of an os-release file (os-release(5)).
fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// The first processor's model, by its name on x86; other architectures have other fields for it.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    ["model name", "Hardware", "cpu model", "uarch", "machine"]
        .iter()
        .find_map(|&wanted| {
            cpuinfo.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                (key.trim() == wanted).then(|| value.trim().to_owned())
            })
        })
}

/// `MemTotal` of /proc/meminfo, in bytes.
fn memory_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// How many processors of the node are online, whatever this process may use of them; the kernel lists them as
/// `0-3,6` (Documentation/admin-guide/cputopology.rst).
fn online_processors(list: &str) -> Option<usize> {
    let count = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        to.checked_sub(from)?.checked_add(1)
    };
    list.trim()
        .split(',')
        .try_fold(0_usize, |sum, part| sum.checked_add(count(part)?))
}

/// The features that `ethtool -k` lists, indented ones included; `off [fixed]` is off.
fn offloads(features: &str) -> BTreeMap<String, bool> {
    features
        .lines()
        .filter_map(|line| {
            let (name, state) = line.split_once(':')?;
            let on = match state.split_whitespace().next()? {
                "on" => true,
                "off" => false,
                _ => return None,
            };
            Some((name.trim().to_owned(), on))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn online_processors_are_counted() {
        for (list, expected) in [
            ("0\n", Some(1)),
            ("0-3\n", Some(4)),
            ("0-3,6,8-9", Some(7)),
            ("", None),
            ("3-0", None),
            ("a", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(online_processors(list), expected, "{list:?}");
        }
    }

    #[test]
    fn offloads_are_read() {
        let features = "Features for eth0:\n\
            tx-checksumming: on\n\
            \ttx-checksum-ipv4: off [fixed]\n\
            tcp-segmentation-offload: on\n\
            generic-segmentation-offload: off [requested on]\n\
            rx-gro-hw: on [fixed]\n";
        let expected = [
            ("tx-checksumming", true),
            ("tx-checksum-ipv4", false),
            ("tcp-segmentation-offload", true),
            ("generic-segmentation-offload", false),
            ("rx-gro-hw", true),
        ];
        let expected = expected.map(|(name, on)| (name.to_owned(), on));
        assert_eq!(offloads(features), BTreeMap::from(expected));
    }

    #[test]
    fn files_are_read() {
        let os = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            pretty_name(os).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(
            memory_bytes("MemTotal:        4015412 kB\nMemFree: 1 kB\n"),
            Some(4_111_781_888)
        );
        let cpu = "processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n\nmodel name\t: other\n";
        assert_eq!(cpu_model(cpu).as_deref(), Some("AMD EPYC"));
    }

    #[test]
    fn the_loopback_interface_is_found() {
        let interface = interface_with(IpAddr::from([127, 0, 0, 1])).unwrap();
        assert_eq!(interface, "lo");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = (offloads(&text), memory_bytes(&text), cpu_model(&text), pretty_name(&text));
        }
    }
}

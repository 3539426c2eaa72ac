//! Checks whether this machine can carry the local cluster of a plan, before anything is started.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::blueprint::layout::families;
use super::machine::families::{has_ipv6, with_families};
use super::machine::path_lookup::{ETHTOOL, IP, NFT, TC, is_installed, search_path};
use super::machine::process_limit::process_limit_reached;
use super::machine::watchdog::run_with_deadline;
use super::sandbox::{Amounts, Feature, ProbeRequest, Stage};
use crate::cluster::{Finding, needed_families};
use crate::diag::Problem;
use crate::plan::{Family, Local, LocalPods, Offloads, Plan, Qdisc};
use crate::system::with_original_file_limit;
use crate::tools::Program;

/// Whether this machine has what the local cluster of a plan needs, a finding for each subject.
///
/// `exe` is this program, `/proc/self/exe`: it tries the kernel's features in namespaces of its
/// own, and whether there may be as many namespaces and processes as `pods` pods need. That takes some 50 ms
/// and leaves nothing behind. Blocks.
#[must_use]
pub fn preflight(exe: &Path, settings: &Local, pods: usize) -> Vec<Finding> {
    vec![Finding::new(
        "local cluster",
        "ready",
        namespaces_and_programs(exe, settings, pods),
    )]
}

/// What is in the way of the address families that a plan names.
#[must_use]
pub fn family_problems(plan: &Plan) -> Vec<Problem> {
    let has_ipv6 = has_ipv6();
    let families = families(&with_families(&plan.local));
    let mut problems: Vec<Problem> = needed_families(plan)
        .iter()
        .filter(|need| !families.contains(&need.family))
        .map(|need| {
            need.problem(match need.family {
                Family::Ipv6 if !has_ipv6 => "this machine's kernel has no IPv6",
                Family::Ipv6 if plan.local.ip_families.is_empty() => {
                    "`mtu` in `local:` is less than the 1280 bytes that it takes"
                }
                _ => "`local.ip_families` does not list it",
            })
        })
        .collect();
    if plan.local.ip_families.contains(&Family::Ipv6) && !has_ipv6 {
        let what = "`local.ip_families` lists ipv6, and this machine's kernel has no IPv6";
        problems.push(
            Problem::without_place(what)
                .help("switch it on, e.g. remove `ipv6.disable=1` from the kernel's command line, or list ipv4 alone"),
        );
    }
    problems
}

/// A congestion control that the kernel does not have, or has not loaded.
fn missing_congestion_control(pods: &LocalPods) -> Option<Problem> {
    let wanted = pods.congestion.as_deref()?;
    let file = "/proc/sys/net/ipv4/tcp_available_congestion_control";
    // A kernel that does not tell refuses it later.
    let available = std::fs::read_to_string(file).ok()?;
    if available.split_whitespace().any(|name| name == wanted) {
        return None;
    }
    let what = format!("the kernel has no congestion control `{wanted}`");
    let help = format!(
        "load it with `sudo modprobe tcp_{wanted}`, or use one of: {}",
        available.trim().replace(' ', ", ")
    );
    Some(Problem::without_place(what).help(help))
}

fn namespaces_and_programs(exe: &Path, settings: &Local, pods: usize) -> Vec<Problem> {
    let links = &settings.links;
    let delay = links.delay.is_some_and(|delay| !delay.0.is_zero());
    let queues = links.rate.is_some() || delay;
    let of_pods = settings.interfaces().map(|pods| settings.offloads_of(pods));
    let mut all_offloads = of_pods.chain([settings.offloads]);
    let offloads = all_offloads.any(|offloads| offloads == Offloads::Off);
    let qdiscs: Vec<Qdisc> = settings
        .interfaces()
        .filter_map(|pods| pods.qdisc)
        .collect();
    let ipv6 = families(&with_families(settings)).contains(&Family::Ipv6);
    let mut programs: Vec<(Program, &str)> = vec![
        (IP, "make network interfaces"),
        (NFT, "translate the addresses of Services"),
    ];
    if offloads {
        programs.push((ETHTOOL, "switch segmentation offloads off"));
    }
    if queues {
        programs.push((TC, "set the rate and delay of links"));
    } else if !qdiscs.is_empty() {
        programs.push((TC, "set the queueing discipline of pods"));
    }
    let (found, missing): (Vec<_>, Vec<_>) = programs
        .into_iter()
        .partition(|(program, _)| is_installed(*program));
    let mut problems: Vec<Problem> = missing
        .into_iter()
        .map(|(Program { name, package }, purpose)| {
            Problem::without_place(format!(
                "`{name}` is not installed; it is needed to {purpose}"
            ))
            .help(format!("install it with `sudo apt-get install {package}`"))
        })
        .collect();
    let has = |name: &str| found.iter().any(|(program, _)| program.name == name);
    let of_qdiscs = qdiscs.into_iter().map(Feature::PodQueue);
    let of_qdiscs = of_qdiscs.filter(|_| has(IP.name) && has(TC.name));
    let features: Vec<Feature> = [
        (Feature::Veth, has(IP.name)),
        (Feature::Nat, has(NFT.name)),
        (Feature::Ipv6Nat, ipv6 && has(NFT.name)),
        (Feature::Offloads, has(IP.name) && has(ETHTOOL.name)),
        (
            Feature::Rate,
            links.rate.is_some() && has(IP.name) && has(TC.name),
        ),
        (Feature::Delay, delay && has(IP.name) && has(TC.name)),
        (Feature::Loss, links.loss.is_some() && has(NFT.name)),
    ]
    .into_iter()
    .filter_map(|(feature, try_it)| try_it.then_some(feature))
    .chain(of_qdiscs)
    .collect();
    problems.extend(settings.interfaces().filter_map(missing_congestion_control));
    let nodes = usize::try_from(settings.nodes).unwrap_or(usize::MAX);
    let amounts = Amounts { nodes, pods };
    match probe(exe, &ProbeRequest { features, amounts }) {
        Ok(more) => problems.extend(more),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            problems.push(process_limit_reached("try the kernel's features"));
        }
        Err(error) => problems.push(
            Problem::without_place(format!("the kernel's features could not be tried: {error}"))
                .help("run `netplan doctor` from a shell on this machine"),
        ),
    }
    problems
}

/// Trying takes milliseconds; every step of it has a deadline of its own.
const WITHIN: Duration = Duration::from_secs(120);
/// More than any list of problems.
const SAID_BYTES: u64 = 1 << 20;

fn probe(exe: &Path, wanted: &ProbeRequest) -> io::Result<Vec<Problem>> {
    let mut command = Stage::Probe.command(exe);
    command
        .env("PATH", search_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = with_original_file_limit(|| command.spawn())?;
    let ((status, said, errors), is_late) = run_with_deadline(WITHIN, &mut child, |child| {
        if let Some(mut stdin) = child.stdin.take() {
            // One that has ended already says why.
            let _ = stdin.write_all(&serde_json::to_vec(wanted)?);
        }
        let said = text_of(child.stdout.take());
        let errors = text_of(child.stderr.take());
        Ok((child.wait()?, said, errors))
    })?;
    if is_late {
        let limit = WITHIN.as_secs();
        return Err(io::Error::other(format!(
            "the probe did not end within {limit} s"
        )));
    }
    serde_json::from_str(&said).map_err(|_| {
        let errors = errors.trim();
        io::Error::other(format!("the probe ended with {status}: {errors}"))
    })
}

fn text_of(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read until an error is all there is.
        let _ = pipe.take(SAID_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

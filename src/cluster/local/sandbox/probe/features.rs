//! Tries in throwaway namespaces whether the kernel can do what a plan's local cluster needs.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use nix::sched::CloneFlags;
use serde::{Deserialize, Serialize};

use super::limits::{Amounts, try_in_child};
use crate::cluster::Error;
use crate::cluster::local::blueprint::network::Step;
use crate::cluster::local::sandbox::isolate::isolate;
use crate::cluster::local::sandbox::mounts::{cover_run, make_private};
use crate::cluster::local::sandbox::netns::run_step;
use crate::diag::Problem;
use crate::plan::{Qdisc, word};

/// A feature to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// First: the queues are tried on it.
    Veth,
    Nat,
    Ipv6Nat,
    Offloads,
    Rate,
    Delay,
    Loss,
    PodQueue(Qdisc),
}

/// What to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRequest {
    pub features: Vec<Feature>,
    pub amounts: Amounts,
}

/// Stage `probe`: reads what to try and prints what is missing, both as JSON.
pub fn run() -> ExitCode {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    let Ok(Ok(wanted)) = read.map(|_| serde_json::from_str(&text)) else {
        return ExitCode::FAILURE;
    };
    let problems = match enter() {
        Ok(()) => problems(&wanted),
        Err(Error::Problem(problem)) => vec![*problem],
        Err(error) => vec![
            Problem::without_place(error.to_string())
                .help("the local cluster needs user, mount, network and pid namespaces"),
        ],
    };
    match serde_json::to_vec(&problems).map(|bytes| io::stdout().write_all(&bytes)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn enter() -> Result<(), Error> {
    isolate(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS,
    )?;
    make_private()?;
    cover_run()
}

fn problems(wanted: &ProbeRequest) -> Vec<Problem> {
    let mut problems = features(&wanted.features);
    problems.extend(try_in_child(wanted.amounts));
    problems
}

/// What the virtual IPs of a family need.
fn nat_rules(family: &str) -> String {
    format!(
        "table {family} np {{ chain c {{ type nat hook postrouting priority srcnat; \
         meta mark & 0x4000 == 0x4000 masquerade fully-random; }};
         chain f {{ type filter hook forward priority filter; \
         ct state new meta l4proto tcp reject with tcp reset; }}; }}"
    )
}

fn features(wanted: &[Feature]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut need = |program: &str, args: &str, input: &str, what: &str, help: &str| {
        let step = Step {
            program: program.to_owned(),
            args: args.split_whitespace().map(str::to_owned).collect(),
            input: input.to_owned(),
        };
        if let Err(error) = run_step(&step, "a throwaway namespace") {
            let said = match error {
                Error::Step { stderr, .. } => stderr,
                // It says nothing about the kernel.
                Error::Problem(problem) => return problems.push(*problem),
                other => other.to_string(),
            };
            problems.push(
                Problem::without_place(format!(
                    "{what} ({})",
                    said.lines().next().unwrap_or("no reason given")
                ))
                .help(help.to_owned()),
            );
        }
    };
    if wanted.contains(&Feature::Veth) {
        need(
            "ip",
            "link add np0 type veth peer name np1",
            "",
            "the kernel cannot create veth pairs",
            "load the module with `sudo modprobe veth`",
        );
    }
    if wanted.contains(&Feature::Delay) {
        need(
            "tc",
            "qdisc add dev np0 root netem delay 1ms",
            "",
            "`local.links.delay` needs the kernel's netem queue, which is missing",
            "load it with `sudo modprobe sch_netem` (on Ubuntu from the package \
             linux-modules-extra, on Fedora kernel-modules-extra), or remove `delay` from the plan",
        );
    }
    if wanted.contains(&Feature::Rate) {
        need(
            "tc",
            "qdisc add dev np1 root tbf rate 1gbit burst 250000 limit 2500000",
            "",
            "`local.links.rate` needs the kernel's tbf queue, which is missing",
            "load it with `sudo modprobe sch_tbf`, or remove `rate` from the plan",
        );
    }
    if wanted.contains(&Feature::Offloads) {
        need(
            "ethtool",
            "-K np0 tso off gso off gro off tx-udp-segmentation off",
            "",
            "the offloads of veth pairs cannot be set",
            "set `local.offloads: kernel` to leave them",
        );
    }
    if wanted.contains(&Feature::Nat) {
        need(
            "nft",
            "-f -",
            &nat_rules("ip"),
            "nftables cannot translate addresses",
            "load the modules with `sudo modprobe -a nf_tables nft_chain_nat nft_masq nft_reject_ipv4`",
        );
    }
    if wanted.contains(&Feature::Ipv6Nat) {
        need(
            "nft",
            "-f -",
            &nat_rules("ip6"),
            "nftables cannot translate IPv6 addresses",
            "load the modules with `sudo modprobe -a nft_chain_nat nft_masq nft_reject_ipv6`, or set `local.ip_families: [ipv4]`",
        );
    }
    if wanted.contains(&Feature::Loss) {
        need(
            "nft",
            "-f -",
            "table ip np2 { chain l { type filter hook prerouting priority -400; \
             numgen random mod 1000000 < 1 drop; }; }",
            "`local.links.loss` needs random numbers in nftables, which the kernel lacks",
            "load them with `sudo modprobe nft_numgen`, or remove `loss` from the plan",
        );
    }
    for feature in wanted {
        if let Feature::PodQueue(qdisc) = feature {
            let qdisc = word(qdisc);
            need(
                "tc",
                &format!("qdisc replace dev np1 root {qdisc}"),
                "",
                &format!("`qdisc: {qdisc}` needs a queue of the kernel, which is missing"),
                &format!(
                    "load it with `sudo modprobe sch_{qdisc}`, or remove `qdisc` from the plan"
                ),
            );
        }
    }
    problems
}

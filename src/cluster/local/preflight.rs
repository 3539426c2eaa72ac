//! Can this machine carry the local cluster of a plan? Asked before anything is started.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use super::holder::{Feature, Stage};
use super::programs::{ETHTOOL, IP, NFT, TC, found as is_found, search_path};
use crate::cluster::{Finding, Trouble};
use crate::plan::{Local, Offloads};
use crate::tools::Program;

/// Whether this machine has what the local cluster of a plan needs, a finding for each subject.
///
/// `exe` is this program, `/proc/self/exe`: it tries the kernel's features in namespaces of its
/// own, which takes some 20 ms and leaves nothing behind. Blocks.
#[must_use]
pub fn preflight(exe: &Path, settings: &Local) -> Vec<Finding> {
    vec![Finding::new(
        "local cluster",
        "ready",
        namespaces_and_programs(exe, settings),
    )]
}

fn namespaces_and_programs(exe: &Path, settings: &Local) -> Vec<Trouble> {
    let links = &settings.links;
    let delay = links.delay.is_some_and(|delay| !delay.0.is_zero());
    let queues = links.rate.is_some() || delay;
    let offloads = settings.offloads == Offloads::Off;
    let mut programs: Vec<(Program, &str)> = vec![
        (IP, "make network interfaces"),
        (NFT, "translate the addresses of Services"),
    ];
    if offloads {
        programs.push((ETHTOOL, "switch segmentation offloads off"));
    }
    if queues {
        programs.push((TC, "set the rate and delay of links"));
    }
    let (found, missing): (Vec<_>, Vec<_>) = programs
        .into_iter()
        .partition(|(program, _)| is_found(*program));
    let mut troubles: Vec<Trouble> = missing
        .into_iter()
        .map(|(Program { name, package }, purpose)| Trouble {
            what: format!("`{name}` is not installed; it is needed to {purpose}"),
            help: format!("install it with `sudo apt-get install {package}`"),
        })
        .collect();
    let has = |name: &str| found.iter().any(|(program, _)| program.name == name);
    let wanted: Vec<Feature> = [
        (Feature::Veth, has(IP.name)),
        (Feature::Nat, has(NFT.name)),
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
    .collect();
    match probe(exe, &wanted) {
        Ok(more) => troubles.extend(more),
        Err(error) => troubles.push(Trouble {
            what: format!("the kernel's features could not be tried: {error}"),
            help: "run `netplan doctor` from a shell on this machine".to_owned(),
        }),
    }
    troubles
}

fn probe(exe: &Path, wanted: &[Feature]) -> std::io::Result<Vec<Trouble>> {
    let mut child = Stage::Probe
        .command(exe)
        .env("PATH", search_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(wanted)?)?;
    }
    let output = child.wait_with_output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        std::io::Error::other(format!("the probe ended with {}: {said}", output.status))
    })
}

//! Whether goodput on an emulated link is what the segment size lets through.

use std::collections::BTreeMap;

use anyhow::Context as _;
use netplan::tools::name;

use super::runs::{run, shipped};
use super::table::{Goal, Unit, figure};

/// The rate of the link in plans/link.yaml, bits per second, Ethernet headers included.
const RATE_BPS: f64 = 1e9;
/// Header bytes of a segment: Ethernet 14, IPv4 20, TCP 20 and 12 for its timestamps.
const HEADERS: f64 = 66.0;

pub fn measure() -> anyhow::Result<()> {
    let plan = std::fs::read_to_string(shipped("link.yaml"))?;
    let run = run(&plan, &["--set", "defaults.repeat=3"])?;
    // By bytes of payload.
    let mut goodputs: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for sample in run.samples() {
        let metric = |name| {
            sample
                .metrics
                .get(name)
                .with_context(|| format!("no {name}"))
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a segment's size"
        )]
        let payload = metric(name::EFFECTIVE_MSS)? as u64;
        goodputs
            .entry(payload)
            .or_default()
            .push(metric(name::THROUGHPUT_BPS)? / 1e6);
    }
    for (payload, goodputs) in goodputs {
        let bytes = payload as f64;
        let theory = RATE_BPS * bytes / (bytes + HEADERS) / 1e6;
        figure(
            &format!("goodput, 1 Gbit/s link, MSS {payload} effective"),
            goodputs,
            Unit("Mbit/s", 1),
            Goal::Within(theory, 0.01),
            "plans/link.yaml, 3 samples of 5 s; goal: 1 Gbit/s · payload / (payload + 14 Ethernet + 20 IP \
             + 32 TCP with timestamps)",
        )?;
    }
    Ok(())
}

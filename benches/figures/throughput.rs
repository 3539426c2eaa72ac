//! Whether a path is as fast through netplan as with the same tool by hand.

use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use netplan::tools::name;

use super::runs::{FIVE_PATHS, run};
use super::table::{Goal, Unit, figure};

const PAIRS: usize = 11;

pub fn measure() -> anyhow::Result<()> {
    let plan = format!(
        "{FIVE_PATHS}defaults: {{ duration: 3s, warmup: 1s }}\ntests:\n  \
         - iperf3: {{}}\n    paths: [remote-service]\n"
    );
    let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let run = run(&plan, &[])?;
        let sample = run.samples().next().context("the run has no sample")?;
        let goodput = sample
            .metrics
            .get(name::THROUGHPUT_BPS)
            .context("no throughput")?;
        ours.push(goodput / 1e9);
        by_hand.push(alone(&sample.server_command, &sample.command)? / 1e9);
    }
    let ratios: Vec<f64> = ours
        .iter()
        .zip(&by_hand)
        .map(|(ours, theirs)| ours / theirs)
        .collect();
    figure(
        "throughput over iperf3's by hand",
        ratios,
        Unit("", 3),
        Goal::AtLeast(0.98),
        &format!(
            "{PAIRS} pairs, in turn: `netplan run`, and the same iperf3 command (TCP, one stream, 3 s \
             after 1 s, other node's virtual IP) in namespaces made by a shell script"
        ),
    )?;
    let each = "of these pairs";
    figure(
        "throughput through netplan",
        ours,
        Unit("Gbit/s", 2),
        Goal::None,
        each,
    )?;
    figure(
        "throughput by hand",
        by_hand,
        Unit("Gbit/s", 2),
        Goal::None,
        each,
    )
}

/// The goodput, bits per second, that the same commands reach in namespaces made by hand.
fn alone(server: &[Arc<str>], client: &[Arc<str>]) -> anyhow::Result<f64> {
    let target = after(client, "-c")?;
    let port = after(client, "-p")?;
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--net",
            "--mount",
            "--pid",
            "--fork",
        ])
        .args(["--kill-child", "--mount-proc", "sh"])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/benches/figures/by-hand.sh"
        ))
        .env("VIRTUAL_IP", target)
        .env("PORT", port)
        .env("SERVER", server.join(" "))
        .env("CLIENT", client.join(" "))
        .stdin(Stdio::null())
        .output()
        .context("cannot start unshare")?;
    if !output.status.success() {
        bail!(
            "by-hand.sh ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    said.pointer("/end/sum_received/bits_per_second")
        .and_then(serde_json::Value::as_f64)
        .context("iperf3 by hand says no received rate")
}

/// The value of an option.
fn after<'a>(command: &'a [Arc<str>], option: &str) -> anyhow::Result<&'a str> {
    let mut words = command.iter().skip_while(|word| &***word != option);
    words
        .nth(1)
        .map(|word| &**word)
        .with_context(|| format!("no `{option}` in `{}`", command.join(" ")))
}

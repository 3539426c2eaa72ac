//! How long a person waits for the commands that measure nothing.

use std::process::Stdio;
use std::time::Instant;

use anyhow::ensure;

use super::runs::{netplan, shipped};
use super::table::{Goal, Unit, figure};

const TIMES: usize = 21;

pub fn measure() -> anyhow::Result<()> {
    for command in ["check", "render", "schedule"] {
        let mut walls = Vec::with_capacity(TIMES);
        // One more, unmeasured, reads the binary and the plan from disk.
        for _ in 0..=TIMES {
            let mut process = netplan();
            process.arg(command).arg(shipped("default.yaml"));
            process
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let started = Instant::now();
            let status = process.status()?;
            walls.push(started.elapsed().as_secs_f64() * 1e3);
            ensure!(status.success(), "`netplan {command}` ended with {status}");
        }
        figure(
            &format!("`netplan {command} plans/default.yaml`"),
            walls.into_iter().skip(1),
            Unit("ms", 1),
            Goal::AtMost(20.0),
            &format!("wall time of the whole process, {TIMES} times"),
        )?;
    }
    Ok(())
}

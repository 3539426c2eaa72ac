//! How long the local cluster takes to come and to go.

use super::runs::{FIVE_PATHS, run};
use super::table::{Goal, Unit, figure};

const TIMES: usize = 11;

pub fn measure() -> anyhow::Result<()> {
    let plan = format!(
        "{FIVE_PATHS}tests:\n  - iperf3: {{}}\n    paths: [remote-service]\n    duration: 1s\n"
    );
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let run = run(&plan, &[])?;
        up.push(run.up_s()? * 1e3);
        down.push(run.down_s()? * 1e3);
    }
    figure(
        "local cluster up, three workers",
        up,
        Unit("ms", 0),
        Goal::AtMost(500.0),
        &format!("start of `netplan run` to the last `worker_joined`, {TIMES} runs"),
    )?;
    figure(
        "local cluster down, results written",
        down,
        Unit("ms", 0),
        Goal::AtMost(200.0),
        &format!("`run_ended` to the end of the process, {TIMES} runs"),
    )
}

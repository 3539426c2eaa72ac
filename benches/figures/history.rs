//! How long `history` takes, how often it finds what is there, and what is not. Simulated runs: it measures no
//! network.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::ensure;
use netplan::results::journal;
use netplan::results::run_dir::file;

use super::history_simulation::{Nights, Noise, false_alarms, steps_found};
use super::table::{Goal, Unit, figure};

/// Normal, with the usual spread of a network that nothing disturbs.
const NIGHTS: Nights = Nights {
    series: 30,
    runs: 60,
    noise: Noise::Normal,
    deviation: 0.02,
};

pub fn measure() -> anyhow::Result<()> {
    let seconds = (0..5)
        .map(|_| time())
        .collect::<anyhow::Result<Vec<f64>>>()?;
    figure(
        "history of 1 000 series in 500 runs",
        seconds,
        Unit("s", 2),
        Goal::AtMost(2.0),
        "`netplan history`, from summaries",
    )?;
    for (words, noise, deviation) in [
        ("normal, 2 %", Noise::Normal, 0.02),
        ("normal, 10 %", Noise::Normal, 0.1),
        ("skewed, 2 %", Noise::Skewed, 0.02),
        ("skewed, 10 %", Noise::Skewed, 0.1),
    ] {
        let nights = Nights {
            noise,
            deviation,
            ..NIGHTS
        };
        let (series, calls) = false_alarms(nights, 1_000);
        figure(
            &format!("unchanged series flagged per call: {words}"),
            [series * 100.0],
            Unit("%", 3),
            Goal::AtMost(1.0),
            &format!(
                "1 000 calls with 30 series of 60 runs; {:.1} % of the calls flag any",
                calls * 100.0
            ),
        )?;
    }
    for (changed, series) in [(1, 30), (6, 30), (10, 100)] {
        let nights = Nights { series, ..NIGHTS };
        let histories = u32::try_from(600 / changed)?;
        let (_, found) = steps_found(nights, changed, 3.0, 5, histories);
        figure(
            &format!("steps of 3 deviations found within 5 runs: {changed} of {series} series"),
            [found * 100.0],
            Unit("%", 1),
            Goal::AtLeast(95.0),
            "600 steps after 55 runs; normal, 2 %",
        )?;
    }
    Ok(())
}

/// Seconds that the program takes.
fn time() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let nights = Nights {
        series: 1_000,
        runs: 500,
        ..NIGHTS
    };
    for summary in nights.summaries(1, |_, _| 0.0) {
        let dir = folder.path().join(&summary.run);
        fs::create_dir(&dir)?;
        // Summaries are current while the journal is as long as they say: empty.
        fs::write(dir.join(journal::FILE_NAME), "")?;
        fs::write(dir.join(file::SUMMARY), serde_json::to_vec(&summary)?)?;
    }
    let begun = Instant::now();
    let mut history = Command::new(env!("CARGO_BIN_EXE_netplan"));
    history
        .arg("history")
        .arg(folder.path())
        .current_dir(folder.path());
    let status = history
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(matches!(status.code(), Some(0 | 4)), "it failed: {status}");
    Ok(seconds)
}

//! A command line with its wall time and the most memory that it takes.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

/// Runs the command without its output. Gives seconds and MB.
///
/// # Errors
/// When it cannot be run, or ends with another code than 0 or 3 (some cells failed).
pub fn run(command: &mut Command) -> anyhow::Result<(f64, f64)> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib: f64 = 0.0;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        // The peak only grows; the last look misses what the last milliseconds add.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        if let Some(kib) = kib {
            peak_kib = peak_kib.max(kib.parse()?);
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(
        matches!(ended.code(), Some(0 | 3)),
        "{command:?} ended with {ended}"
    );
    Ok((seconds, peak_kib * 1024.0 / 1e6))
}

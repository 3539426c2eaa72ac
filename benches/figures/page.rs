//! How long a browser takes to draw a report's page.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use super::table::{Goal, Unit, figure};

/// Under these names distributions install it.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// How often each page is drawn.
const TIMES: usize = 5;

/// The time to draw the page of a run beyond that of an empty page: a browser without a window starts, draws a
/// picture of it and ends. Says so where no browser is installed.
pub fn draw(run: &Path, name: &str) -> anyhow::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |name: &&&str| std::env::split_paths(&path).any(|folder| folder.join(name).exists());
    let Some(browser) = BROWSERS.iter().find(is_there) else {
        eprintln!("no browser draws the page: Chromium is not installed");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let page = folder.path().join("page.html");
    let html = Command::new(env!("CARGO_BIN_EXE_netplan"))
        .args([
            OsStr::new("report"),
            OsStr::new("--format=html"),
            run.as_os_str(),
        ])
        .output()?;
    fs::write(&page, &html.stdout)?;
    let empty = folder.path().join("empty.html");
    fs::write(&empty, "<!doctype html><title>empty</title>")?;
    let time = |page: &Path| seconds(browser, folder.path(), page);
    let mut beyond = Vec::new();
    for _ in 0..TIMES {
        let start = time(&empty)?;
        beyond.push(time(&page)? - start);
    }
    figure(
        &format!("its page in {browser}, {name}"),
        beyond,
        Unit("s", 2),
        Goal::AtMost(1.0),
        &format!(
            "a picture of `report.html` ({} kB) without a window, beyond the time for an empty page",
            html.stdout.len() / 1000
        ),
    )
}

fn seconds(browser: &str, folder: &Path, page: &Path) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let status = Command::new(browser)
        .args([
            "--headless",
            "--disable-gpu",
            "--no-sandbox",
            "--no-first-run",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!(
            "--screenshot={}",
            folder.join("page.png").display()
        ))
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {browser}"))?;
    ensure!(status.success(), "{browser} ended with {status}");
    Ok(begun.elapsed().as_secs_f64())
}

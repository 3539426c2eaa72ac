//! What the tests share.

pub mod helm;
mod journals;
mod netplan;
mod templates;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::netplan::cluster::Finding;
use ::netplan::cluster::local::preflight;
use ::netplan::plan;

pub use self::journals::samples;
pub use self::netplan::{Ended, Netplan, Running};
pub use self::templates::{RUN_WITH_TEMPLATES, add_templates};

/// The root of this repository.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The program under test.
pub const NETPLAN: &str = env!("CARGO_BIN_EXE_netplan");

/// Nothing that is waited for takes this long, however slow the machine: a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nothing that runs in a process of its own, or over a connection, takes this long.
pub const SOON: Duration = Duration::from_secs(60);

/// Ends the test that it is in where something that the test needs is missing, and reports it as skipped: see [`skip`].
macro_rules! needs {
    ($($there:expr),+ $(,)?) => {
        $(if let Err(why) = $there {
            $crate::support::skip(why);
            return;
        })+
    };
}
pub(crate) use needs;

/// Says that the calling test is skipped, past the capture of its output: a line on standard error, and one in the file
/// that `NETPLAN_SKIPPED_TESTS` names, of which `make test` makes a summary.
pub fn skip(why: impl Display) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("{test}: {why}\n");
    let _ = std::io::stderr().write_all(format!("skipped ({count} so far): {line}").as_bytes());
    if let Some(file) = std::env::var_os("NETPLAN_SKIPPED_TESTS") {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(file);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// Whether a local cluster can be made here, by this user.
pub fn local_cluster() -> Result<(), String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let findings = preflight(Path::new(NETPLAN), &plan::Local::default(), 4);
        let problems = findings.iter().flat_map(Finding::problems);
        let all: Vec<String> = problems.map(ToString::to_string).collect();
        if all.is_empty() {
            Ok(())
        } else {
            Err(format!("no local cluster: {}", all.join("; ")))
        }
    });
    found.clone()
}

/// The folders that netplan looks for programs in. An ordinary user's `PATH` often lacks those of the system, as on
/// Debian.
pub fn program_path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin:/sbin");
    path
}

/// Whether all these programs are installed.
pub fn installed(programs: &[&str]) -> Result<(), String> {
    let path = program_path();
    let is_there =
        |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).exists());
    match programs.iter().find(|name| !is_there(name)) {
        Some(name) => Err(format!("`{name}` is not installed")),
        None => Ok(()),
    }
}

/// Whether the tests run as root, who can become another user.
pub fn root() -> Result<(), &'static str> {
    if nix::unistd::geteuid().is_root() {
        Ok(())
    } else {
        Err("only root can become another user; the other tests run as an ordinary user already")
    }
}

/// A copy of the program that every user can start, in a folder that every user can write to.
pub fn program_for_everybody() -> (tempfile::TempDir, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("netplan");
    std::fs::copy(NETPLAN, &program).unwrap();
    for path in [folder.path(), &program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    (folder, program)
}

/// Settings for snapshots in the top-level `snapshots/` folder.
pub fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// Waits until something holds that nothing announces.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The same in a task.
pub async fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// `<pid> <command line>` of every process of this machine whose command line has `word` in it.
pub fn processes_naming(word: &str) -> Vec<String> {
    let Ok(all) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.filter_map(|entry| {
        let entry = entry.ok()?;
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        command.contains(word).then(|| format!("{pid} {command}"))
    })
    .collect()
}

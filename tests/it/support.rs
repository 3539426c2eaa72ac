//! What the tests share.

use std::time::{Duration, Instant};

/// The program under test.
pub const NETPLAN: &str = env!("CARGO_BIN_EXE_netplan");

/// Nothing that is waited for takes this long, however slow the machine: a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(120);

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

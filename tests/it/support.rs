//! What the tests share.

/// Settings for snapshots in the top-level `snapshots/` folder.
#[allow(dead_code, reason = "modules that take snapshots use it")]
pub fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

//! The file of A/A floors.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::compare::Floors;
use crate::diag::json;
use crate::files::{self, Durability};

/// A larger file is none of ours.
const LARGEST_BYTES: u64 = 16 << 20;
/// Permissions of the file, less the umask.
const MODE: u32 = 0o666;

/// What files of all versions have.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Where floors are unless the command line says it: `$XDG_STATE_HOME/netplan/floors.json`, by default
/// `~/.local/state/netplan/floors.json` (XDG Base Directory Specification). `None` without a home directory.
pub(super) fn default_path() -> Option<PathBuf> {
    let folder = |variable: &str| {
        let path = std::env::var_os(variable).map(PathBuf::from);
        // A relative path is to be ignored, says the specification.
        path.filter(|path| path.is_absolute())
    };
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("netplan/floors.json"))
}

/// Reads floors; none where there is no file.
pub(super) fn read(path: &Path) -> anyhow::Result<Floors> {
    let text = match files::read_regular(path, LARGEST_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Floors::default()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    let not_floors = || {
        format!(
            "`{}` is not a file of A/A floors; remove it, or name another one with `--floor FILE`",
            path.display()
        )
    };
    let Versioned { version } = serde_json::from_slice(&text).with_context(not_floors)?;
    if !Floors::is_known_version(version) {
        bail!(
            "`{}` has version {version} of the file of A/A floors, which this netplan does not read; remove it and \
             calibrate again, or name another file with `--floor FILE`",
            path.display()
        );
    }
    serde_json::from_slice(&text).with_context(not_floors)
}

/// Writes floors, whole or not at all.
pub(super) fn write(path: &Path, floors: &Floors) -> anyhow::Result<()> {
    let cannot = || {
        format!(
            "cannot write `{}`; name another file with `--floor FILE`",
            path.display()
        )
    };
    let text = json::to_string_pretty(floors).with_context(cannot)? + "\n";
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(cannot)?;
    }
    files::replace(path, MODE, Durability::Synced, |file| {
        file.write_all(text.as_bytes())
    })
    .with_context(cannot)
}

//! Writing: new files only, so that a link that somebody has put there is never followed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

/// How often a temporary file that is in the way is removed before writing is given up.
const ATTEMPTS: u32 = 5;

/// Whether a file is on disk before it gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    Synced,
    Unsynced,
}

/// Creates a file that is not there yet, with these permissions less the umask (where a system has such). A link in its place is
/// not followed, even if it leads nowhere.
///
/// # Errors
/// When something has that name already, or the file cannot be created.
pub fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // O_CREAT with O_EXCL.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// Puts a file in its place whole or not at all: `write` fills a new file beside it, which then takes
/// its name. What had the name before, a link too, is replaced.
///
/// # Errors
/// When `write` fails or the file cannot be written; then nothing of it is left.
pub fn replace(
    path: &Path,
    mode: u32,
    durability: Durability,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = temporary(path)?;
    let file = create_temporary(&temporary, mode)?;
    let finish = || {
        let mut writer = BufWriter::new(file);
        write(&mut writer)?;
        let file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        if durability == Durability::Synced {
            file.sync_data()?;
        }
        fs::rename(&temporary, path)
    };
    finish().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// `folder/.name.tmp` for `folder/name`.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".tmp");
    Ok(path.with_file_name(hidden))
}

/// A process that was killed may have left its temporary file; whatever is there is removed, not written to.
fn create_temporary(path: &Path, mode: u32) -> io::Result<File> {
    for _ in 1..ATTEMPTS {
        match create_new(path, mode) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            created => return created,
        }
    }
    create_new(path, mode)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn put(path: &Path, mode: u32, text: &str) -> io::Result<()> {
        replace(path, mode, Durability::Unsynced, |file| {
            file.write_all(text.as_bytes())
        })
    }

    #[test]
    fn links_are_replaced_and_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "mine").unwrap();
        symlink(at("precious"), at(".out.tmp")).unwrap();
        symlink(at("precious"), at("out")).unwrap();
        put(&at("out"), 0o600, "new").unwrap();
        assert_eq!(fs::read_to_string(at("precious")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(at("out")).unwrap(), "new");
        let metadata = fs::symlink_metadata(at("out")).unwrap();
        assert!(metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o600);
        assert!(!at(".out.tmp").exists());
        symlink(at("nowhere"), at("fresh")).unwrap();
        let error = create_new(&at("fresh"), 0o600).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        put(&out, 0o600, "old").unwrap();
        let error = replace(&out, 0o600, Durability::Synced, |file| {
            file.write_all(b"half")?;
            Err(ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&out).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // A folder with the name of the temporary file is not ours to remove.
        fs::create_dir(folder.path().join(".out.tmp")).unwrap();
        assert!(put(&out, 0o600, "new").is_err());
        assert!(put(Path::new("/"), 0o600, "new").is_err());
    }
}

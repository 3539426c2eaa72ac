//! Opening regular files only, so that nothing blocks and no device is read.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Opens a regular file. A FIFO does not block, and what is looked at is what was opened.
///
/// # Errors
/// When it cannot be opened, or is a folder, a FIFO, a socket or a device; the error says which.
pub fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    open(path, options, Links::Followed)
}

/// As [`open_regular`], but a link in the file's place is not followed: for files that are written.
///
/// # Errors
/// As [`open_regular`], and when it is a link.
pub fn open_regular_here(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    open(path, options, Links::Refused)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    Followed,
    Refused,
}

fn open(path: &Path, options: &mut OpenOptions, links: Links) -> io::Result<File> {
    let file = system::open(path, options, links)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        Ok(file)
    } else if kind.is_dir() {
        Err(ErrorKind::IsADirectory.into())
    } else if kind.is_symlink() {
        Err(not_regular("a link"))
    } else if system::is_fifo(kind) {
        Err(not_regular("a FIFO"))
    } else {
        Err(not_regular("a device"))
    }
}

fn not_regular(kind: &str) -> io::Error {
    let message = format!("it is {kind}, and a regular file is required");
    io::Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(unix)]
mod system {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

    use nix::errno::Errno;
    use nix::fcntl::OFlag;

    use super::{File, FileType, Links, OpenOptions, Path, io, not_regular};

    pub(super) fn open(path: &Path, options: &mut OpenOptions, links: Links) -> io::Result<File> {
        // Without O_NONBLOCK the opening of a FIFO waits for its other end.
        let mut flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        if links == Links::Refused {
            flags |= OFlag::O_NOFOLLOW;
        }
        let opened = options.custom_flags(flags.bits()).open(path);
        opened.map_err(|error| match error.raw_os_error() {
            // A socket cannot be opened at all.
            Some(code) if code == Errno::ENXIO as i32 => not_regular("a socket"),
            _ => error,
        })
    }

    pub(super) fn is_fifo(kind: FileType) -> bool {
        kind.is_fifo()
    }
}

#[cfg(windows)]
mod system {
    use std::os::windows::fs::OpenOptionsExt;

    use super::{File, FileType, Links, OpenOptions, Path, io};

    /// `FILE_FLAG_OPEN_REPARSE_POINT` of `CreateFile`: opens a link itself, not what it leads to.
    const OPEN_LINK: u32 = 0x0020_0000;

    pub(super) fn open(path: &Path, options: &mut OpenOptions, links: Links) -> io::Result<File> {
        match links {
            Links::Followed => options.open(path),
            Links::Refused => options.custom_flags(OPEN_LINK).open(path),
        }
    }

    /// Named pipes have names of their own there.
    pub(super) fn is_fifo(_: FileType) -> bool {
        false
    }
}

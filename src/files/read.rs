//! Reading with bounds: regular files up to a size, other files also within a time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::open::open_regular;

/// The content of a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open_regular`], when it is larger, and when reading fails.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_to_limit(open_regular(path, OpenOptions::new().read(true))?, limit)
}

/// All that a reader gives, if it is at most `limit` bytes.
///
/// # Errors
/// When it is more, and when reading fails.
pub fn read_to_limit(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::Error::new(ErrorKind::FileTooLarge, too_large(limit)));
    }
    Ok(content)
}

/// The content of a file of any kind, of at most `limit` bytes. A file that is not regular, such as a
/// shell's `<(command)`, must be read to its end `within` a time: opening it may already wait.
///
/// # Errors
/// When it cannot be read, is larger, or does not end in time.
pub fn read_any(path: &Path, limit: u64, within: Duration) -> io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.is_file() {
        return read_regular(path, limit);
    }
    let (sender, receiver) = mpsc::channel();
    let path = path.to_path_buf();
    let read = move || {
        let _ = sender.send(File::open(path).and_then(|file| read_to_limit(file, limit)));
    };
    std::thread::Builder::new().spawn(read)?;
    receiver.recv_timeout(within).map_err(|_| {
        let seconds = within.as_secs_f64();
        io::Error::other(format!("it does not end within {seconds} s"))
    })?
}

/// As [`read_regular`], of a text.
///
/// # Errors
/// As [`read_regular`], and when it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_regular(path, limit)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn too_large(limit: u64) -> String {
    if limit >= 1 << 20 {
        format!("it is larger than {} MiB", limit >> 20)
    } else {
        format!("it is larger than {} KiB", limit >> 10)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert_eq!(read_text(&at("file"), 4).unwrap(), "text");
        assert_eq!(read_text(&at("link"), 4).unwrap(), "text");
        for (path, said) in [
            (at("fifo"), "a FIFO"),
            (at("socket"), "a socket"),
            (Path::new("/dev/zero").to_owned(), "a device"),
            (at("file"), "larger than 0 KiB"),
        ] {
            let error = read_regular(&path, 3).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        // Nobody writes into the FIFO.
        let error = read_any(&at("fifo"), 4, Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.to_string(), "it does not end within 0.001 s");
        // Another FIFO: the reader that was given up still waits for the first one.
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let writer = std::thread::spawn({
            let pipe = at("pipe");
            move || std::fs::write(pipe, "text")
        });
        let text = read_any(&at("pipe"), 4, Duration::from_secs(60));
        assert_eq!(text.unwrap(), b"text");
        writer.join().unwrap().unwrap();
        let error = read_regular(folder.path(), 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        let error = read_regular(&at("none"), 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

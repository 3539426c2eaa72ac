//! The file that a program's name starts.

use std::env;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::catalog::OWN_PROGRAM;

/// The file of this program itself. It is there also when another one has taken its place since the start.
const OWN_FILE: &str = "/proc/self/exe";

/// What to start for a program's name: this program itself for its own name, which other programs have too.
pub(in crate::worker) fn to_start(program: &str) -> &str {
    if program == OWN_PROGRAM {
        OWN_FILE
    } else {
        program
    }
}

/// The file that this name starts, with symbolic links followed; `None` when there is none.
pub(in crate::worker) fn file_of(program: &str) -> Option<PathBuf> {
    let program = to_start(program);
    let is_program = |file: &Path| file.is_file() && access(file, AccessFlags::X_OK).is_ok();
    let found = if program.contains('/') {
        Some(PathBuf::from(program)).filter(|file| is_program(file))
    } else {
        env::split_paths(&env::var_os("PATH")?)
            .map(|folder| folder.join(program))
            .find(|file| is_program(file))
    }?;
    Some(found.canonicalize().unwrap_or(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_first_program_of_the_path_that_has_it() {
        let shell = file_of("sh").unwrap();
        assert!(shell.is_absolute());
        assert_eq!(file_of(shell.to_str().unwrap()), Some(shell));
        // A folder may be entered, which is the same permission.
        assert_eq!(file_of("/usr"), None);
        assert_eq!(file_of("/etc/passwd"), None);
        assert_eq!(file_of("no-such-program"), None);
    }
}

//! Which kubeconfig files there are, and their text.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diag::Problem;
use crate::files;

/// Large clusters' kubeconfigs have some 100 KiB. A file without an end is refused instead of read for ever.
const LARGEST_BYTES: u64 = 8 << 20;
/// Files that are not regular, such as a shell's `<(command)`, have to be read to their end within this.
const READS_WITHIN: Duration = Duration::from_secs(15);

/// The files that configure the cluster, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster::kubernetes) enum Chosen {
    /// Named on the command line.
    Named(PathBuf),
    /// The list in KUBECONFIG.
    Variable(Vec<PathBuf>),
    /// The one in the home directory; `None` without a home.
    Default(Option<PathBuf>),
}

/// A kubeconfig that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster::kubernetes) struct Text {
    pub file: PathBuf,
    pub text: String,
}

impl Chosen {
    /// The first of: the file that is `named`, the list of the `variable` KUBECONFIG, `.kube/config` in `home`.
    /// An empty variable counts as none.
    pub fn new(named: Option<&Path>, variable: Option<&OsStr>, home: Option<&Path>) -> Self {
        if let Some(file) = named {
            return Self::Named(file.to_path_buf());
        }
        let Some(variable) = variable.filter(|variable| !variable.is_empty()) else {
            return Self::Default(home.map(|home| home.join(".kube/config")));
        };
        let mut files = Vec::new();
        for file in std::env::split_paths(variable) {
            if !file.as_os_str().is_empty() && !files.contains(&file) {
                files.push(file);
            }
        }
        Self::Variable(files)
    }

    /// As this process's environment says.
    pub fn from_environment(named: Option<&Path>) -> Self {
        let variable = std::env::var_os("KUBECONFIG");
        Self::new(named, variable.as_deref(), std::env::home_dir().as_deref())
    }

    /// Whether the files were named on the command line or in KUBECONFIG.
    pub fn is_explicit(&self) -> bool {
        !matches!(self, Self::Default(_))
    }

    /// The texts of the files that exist; a missing default file is not an error.
    ///
    /// # Errors
    /// A named file is missing, KUBECONFIG names no file that exists, or a file cannot be read.
    pub fn read(&self) -> Result<Vec<Text>, Problem> {
        let (files, no_file) = match self {
            Self::Named(file) => {
                let what = format!("there is no kubeconfig `{}`", file.display());
                (
                    std::slice::from_ref(file),
                    Some((what, "name one that exists")),
                )
            }
            Self::Variable(files) => (
                files.as_slice(),
                Some((
                    no_file_message(files),
                    "name one that exists, or unset KUBECONFIG",
                )),
            ),
            Self::Default(file) => (file.as_slice(), None),
        };
        let mut texts = Vec::new();
        let mut unreadable = Vec::new();
        for file in files {
            match read(file) {
                Ok(text) => texts.push(Text {
                    file: file.clone(),
                    text,
                }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => unreadable.push(format!("`{}`: {error}", file.display())),
            }
        }
        if !unreadable.is_empty() {
            return Err(Problem::without_place(format!(
                "cannot read the kubeconfig {}",
                unreadable.join(", ")
            ))
            .help("make it readable, or name another one with `--kubeconfig`"));
        }
        match no_file {
            Some((what, help)) if texts.is_empty() => {
                Err(Problem::without_place(what).help(help.to_owned()))
            }
            _ => Ok(texts),
        }
    }

    /// For people, when no cluster is configured: which file was looked for.
    pub fn searched_files(&self) -> String {
        match self {
            Self::Named(file) | Self::Default(Some(file)) => format!("`{}`", file.display()),
            Self::Variable(files) => list(files),
            Self::Default(None) => "`~/.kube/config` (this user has no home directory)".to_owned(),
        }
    }
}

fn no_file_message(files: &[PathBuf]) -> String {
    match files {
        [] => "KUBECONFIG contains only separators, and names no file".to_owned(),
        [file] => format!(
            "KUBECONFIG names `{}`, which does not exist",
            file.display()
        ),
        files => format!("none of the files in KUBECONFIG exists: {}", list(files)),
    }
}

/// The files' names, for people.
pub(super) fn list(files: &[PathBuf]) -> String {
    let each: Vec<String> = files
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    each.join(", ")
}

/// The text of a file, which may have a byte order mark.
fn read(file: &Path) -> io::Result<String> {
    text(read_bytes(file)?)
}

/// All of a file.
pub(super) fn read_bytes(file: &Path) -> io::Result<Vec<u8>> {
    files::read_any(file, LARGEST_BYTES, READS_WITHIN)
}

/// UTF-8, or UTF-16 with its mark, which PowerShell writes.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    let not_text = || io::Error::other("it is not text");
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok();
        text.filter(|_| rest.is_empty()).ok_or_else(not_text)
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| not_text()),
        _ => String::from_utf8(bytes).map_err(|_| not_text()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(named: Option<&str>, variable: Option<&str>) -> Chosen {
        Chosen::new(
            named.map(Path::new),
            variable.map(OsStr::new),
            Some(Path::new("/home/me")),
        )
    }

    #[test]
    fn the_command_line_comes_before_the_variable_and_the_home() {
        let list = |files: &[&str]| Chosen::Variable(files.iter().map(PathBuf::from).collect());
        let home = Chosen::Default(Some(PathBuf::from("/home/me/.kube/config")));
        assert_eq!(chosen(Some("a"), Some("b")), Chosen::Named("a".into()));
        assert_eq!(chosen(None, Some("a:b:a::c")), list(&["a", "b", "c"]));
        assert_eq!(chosen(None, Some(":")), list(&[]));
        assert_eq!(chosen(None, Some("")), home);
        assert_eq!(chosen(None, None), home);
        assert_eq!(Chosen::new(None, None, None), Chosen::Default(None));
    }

    #[test]
    fn only_a_missing_default_is_no_error() {
        assert_eq!(Chosen::Default(Some("/none/x".into())).read(), Ok(vec![]));
        assert_eq!(Chosen::Default(None).read(), Ok(vec![]));
        for (variable, says) in [
            ("/none/a", "`/none/a`, which does not exist"),
            ("/none/a:/none/b", "exists: `/none/a`, `/none/b`"),
            (":", "names no file"),
            ("/proc", "cannot read the kubeconfig `/proc`"),
            ("/dev/zero", "larger than 8 MiB"),
        ] {
            let problem = chosen(None, Some(variable)).read().unwrap_err();
            assert!(problem.what.contains(says), "{variable}: {problem}");
        }
        let problem = chosen(Some("/none/a"), None).read().unwrap_err();
        assert!(
            problem.what.contains("no kubeconfig `/none/a`"),
            "{problem}"
        );
    }

    proptest! {
        /// What exists is read, in its order, whatever is missing beside it.
        #[test]
        fn missing_files_of_a_list_are_skipped(exists in prop::collection::vec(any::<bool>(), 1..6)) {
            let folder = tempfile::tempdir().unwrap();
            let files: Vec<PathBuf> = (0..exists.len())
                .map(|index| folder.path().join(index.to_string()))
                .collect();
            for (file, _) in files.iter().zip(&exists).filter(|(_, exists)| **exists) {
                std::fs::write(file, file.to_str().unwrap()).unwrap();
            }
            let read = Chosen::Variable(files.clone()).read();
            let expected: Vec<&PathBuf> =
                files.iter().zip(&exists).filter(|(_, exists)| **exists).map(|(file, _)| file).collect();
            match read {
                Ok(texts) => prop_assert_eq!(texts.iter().map(|text| &text.file).collect::<Vec<_>>(), expected),
                Err(_) => prop_assert!(expected.is_empty()),
            }
        }

        #[test]
        fn any_bytes_are_text_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40), mark in 0..4usize) {
            let marks: [&[u8]; 4] = [&[], &[0xFF, 0xFE], &[0xFE, 0xFF], &[0xEF, 0xBB, 0xBF]];
            let _ = text([marks[mark], &bytes].concat());
        }
    }
}

//! Paths of the machine that pods must see although they have their own folder there, such as `/tmp`: the
//! places that the plan's programs come from.

use std::path::{Path, PathBuf};

use super::path_lookup::{files_for, is_covered};
use crate::cluster::Error;
use crate::cluster::local::blueprint::pod_plan::MountPlan;
use crate::diag::Problem;

/// The paths of the machine to show in a pod with these mounts, so that it can start these files. Of a file
/// below a mount that is the first entry below it: a program may have its libraries beside its folder.
pub fn paths_to_show(files: &[PathBuf], mounts: &[MountPlan]) -> Vec<PathBuf> {
    let mounts: Vec<&Path> = mounts.iter().map(|mount| Path::new(&mount.path)).collect();
    let mut paths: Vec<PathBuf> = files
        .iter()
        .filter_map(|file| entry(file, &mounts))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The first entry on the way from the innermost mount to the file that no other mount is at or below.
fn entry(file: &Path, mounts: &[&Path]) -> Option<PathBuf> {
    let above = |mount: &&&Path| file.starts_with(mount) && **mount != file;
    let mount = mounts
        .iter()
        .filter(above)
        .max_by_key(|mount| mount.components().count())?;
    let mut entry = mount.to_path_buf();
    for component in file.strip_prefix(mount).ok()?.components() {
        entry.push(component);
        if !mounts.iter().any(|mount| mount.starts_with(&entry)) {
            return Some(entry);
        }
    }
    None
}

/// What pods need to see of the machine for these programs.
///
/// # Errors
/// [`Error::Problem`] when a program is where pods cannot see it: they would run another one by that name.
pub fn host_files(
    programs: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Vec<PathBuf>, Error> {
    let files = files_for(programs);
    match files.iter().find_map(|file| why_invisible(file)) {
        Some(problem) => Err(Error::from(problem)),
        None => Ok(files),
    }
}

/// Why pods cannot see this file.
pub fn why_invisible(file: &Path) -> Option<Problem> {
    is_covered(file).then(|| Problem::without_place(format!(
            "`{}` is not visible to pods of the local cluster: they have their own `/run`, `/proc` and `/sys`",
            file.display()
        )).help("put it into another folder that is on the `PATH`"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mounts(paths: &[&str]) -> Vec<MountPlan> {
        let mount = |path: &&str| MountPlan {
            volume: "v".to_owned(),
            path: (*path).to_owned(),
            read_only: false,
        };
        paths.iter().map(mount).collect()
    }

    #[test]
    fn what_a_mount_would_cover_is_shown_from_its_first_entry_on() {
        for (file, covers, expected) in [
            ("/tmp/a/bin/iperf3", &["/tmp"][..], Some("/tmp/a")),
            ("/tmp/iperf3", &["/tmp"], Some("/tmp/iperf3")),
            ("/usr/bin/iperf3", &["/tmp", "/opt"], None),
            ("/tmpfs/iperf3", &["/tmp"], None),
            ("/tmp", &["/tmp"], None),
            ("/tmp/a/b/c", &["/tmp", "/tmp/a"], Some("/tmp/a/b")),
            // All of /tmp/a would cover what is mounted in it.
            ("/tmp/a/b/c", &["/tmp", "/tmp/a/x"], Some("/tmp/a/b")),
            ("/run/x/iperf3", &["/run/netplan/tls"], None),
        ] {
            let shown = paths_to_show(&[PathBuf::from(file)], &mounts(covers));
            let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(shown, expected, "{file} {covers:?}");
        }
    }

    proptest! {
        /// What is shown leads to the file, is below a mount, and covers no mount.
        #[test]
        fn a_shown_entry_covers_no_mount(
            file in prop::collection::vec("[ab]", 1..5),
            covers in prop::collection::vec(prop::collection::vec("[ab]", 1..4), 0..4),
        ) {
            let path = |parts: &[String]| format!("/{}", parts.join("/"));
            let covers: Vec<String> = covers.iter().map(|parts| path(parts)).collect();
            let file = PathBuf::from(path(&file));
            let plans = mounts(&covers.iter().map(String::as_str).collect::<Vec<_>>());
            for entry in paths_to_show(std::slice::from_ref(&file), &plans) {
                prop_assert!(file.starts_with(&entry));
                prop_assert!(covers.iter().any(|mount| entry.starts_with(mount)));
                prop_assert!(!covers.iter().any(|mount| Path::new(mount).starts_with(&entry)));
            }
        }
    }

    #[test]
    fn a_program_that_no_pod_can_see_is_named() {
        let problem = why_invisible(Path::new("/run/user/0/iperf3")).unwrap();
        assert!(problem.what.contains("/run/user/0/iperf3"));
        assert_eq!(why_invisible(Path::new("/runner/iperf3")), None);
    }
}

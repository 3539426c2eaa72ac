//! The programs that measure: their files, and the versions that they report.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::path_lookup::file_of;
use super::process;
use crate::catalog::OWN_PROGRAM;
use crate::tools::{self, How, SMALLEST_OUTPUT_BYTES};

/// How long a program may take to print its version.
const PATIENCE: Duration = Duration::from_secs(2);

/// The files of the built-in tools' programs and of these others, by name; without those that are not
/// there, and without this program.
pub(in crate::worker) fn files(others: &[String]) -> BTreeMap<String, String> {
    let tools = tools::built_in();
    let own = tools.iter().flat_map(|tool| tool.programs());
    let names = own.map(|program| program.name.to_owned());
    names
        .chain(others.iter().cloned())
        .filter(|name| name != OWN_PROGRAM)
        .filter_map(|name| {
            let file = file_of(&name)?.to_string_lossy().into_owned();
            Some((name, file))
        })
        .collect()
}

/// The built-in tools all of whose programs are there, with the version that each says. All are asked at
/// once.
pub(in crate::worker) async fn versions() -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    let mut asked = JoinSet::new();
    for tool in tools::built_in() {
        let programs = tool.programs();
        let is_whole = programs
            .iter()
            .all(|program| file_of(program.name).is_some());
        let name = tool.name().to_owned();
        let query = tool.version_query().filter(|_| is_whole);
        if query.is_some_and(|query| query.argv[0] == OWN_PROGRAM) {
            versions.insert(name, env!("CARGO_PKG_VERSION").to_owned());
        } else if let Some(query) = query {
            asked.spawn(async move {
                let answer = output_of(query.argv).await?;
                Some((name, query.read(&answer)))
            });
        }
    }
    while let Some(answer) = asked.join_next().await {
        versions.extend(answer.ok().flatten());
    }
    versions
}

/// What a program prints on stdout; `None` when it cannot be started.
pub(in crate::worker) async fn output_of<const N: usize>(argv: [&str; N]) -> Option<String> {
    let argv = argv.map(str::to_owned);
    let (_never, mut stop) = oneshot::channel();
    let (ended, _) = process::run(
        &argv,
        SMALLEST_OUTPUT_BYTES,
        Instant::now() + PATIENCE,
        &mut stop,
    )
    .await;
    match ended.how {
        How::NotFound(_) | How::NotStarted(_) => None,
        _ => Some(String::from_utf8_lossy(&ended.stdout).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_that_are_there_are_listed() {
        let files = files(&["sh".to_owned(), "no-such-program".to_owned()]);
        assert!(files["sh"].starts_with('/'));
        assert!(!files.contains_key("no-such-program"));
    }
}

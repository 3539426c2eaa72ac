//! What a person probably meant by a command that does not exist.

use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::invocation::Invocation;
use crate::diag::shell_word;
use crate::results::RunDir;

/// Adds the command line that a plan or a run's directory instead of a command asks for.
pub(in crate::cli) fn add_to(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand)
        && let Some(tip) = tip(given)
    {
        let tip = Invocation::current().localize(&tip).into_owned();
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        // A command that is spelt alike is further from a file's name.
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

fn tip(given: &str) -> Option<String> {
    let path = Path::new(given);
    let word = shell_word(given);
    if RunDir::open(path).is_ok() {
        Some(format!("to show this run, use `netplan report {word}`"))
    } else if is_plan(path) || path.is_file() {
        Some(format!("to run this plan, use `netplan run {word}`"))
    } else {
        let plan = shell_word(path.join(a_plan_in(path)?).to_str()?);
        Some(format!(
            "to run a plan of this folder, use e.g. `netplan run {plan}`"
        ))
    }
}

/// The name of the first plan in a folder, by name.
fn a_plan_in(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| is_plan(Path::new(name))).min()
}

fn is_plan(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_run_and_a_run_is_shown() {
        let run = "to run this plan, use `netplan run my-plan.yaml`";
        assert_eq!(tip("my-plan.yaml").as_deref(), Some(run));
        let quoted = "to run this plan, use `netplan run 'it'\\''s mine.yml'`";
        assert_eq!(tip("it's mine.yml").as_deref(), Some(quoted));
        assert_eq!(tip("rnu"), None);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        assert_eq!(tip(at), None);
        std::fs::write(folder.path().join("b.yml"), "").unwrap();
        std::fs::write(folder.path().join("a.yaml"), "").unwrap();
        let one = format!("to run a plan of this folder, use e.g. `netplan run {at}/a.yaml`");
        assert_eq!(tip(at), Some(one));
        crate::results::Journal::create(folder.path()).unwrap();
        let report = format!("to show this run, use `netplan report {at}`");
        assert_eq!(tip(at), Some(report));
    }
}

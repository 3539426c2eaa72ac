//! Which output is coloured.

use crate::support::{Ended, Netplan};

const CASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/three_typos.yaml");

fn netplan(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let netplan = Netplan::in_repository().args(arguments);
    let set = |netplan: Netplan, (name, value): &(&str, &str)| netplan.env(name, value);
    variables.iter().fold(netplan, set).run()
}

fn has_color(text: &str) -> bool {
    text.contains('\u{1b}')
}

#[track_caller]
fn assert_error_color(expected: bool, arguments: &[&str], variables: &[(&str, &str)]) {
    let output = netplan(arguments, variables);
    assert_eq!(output.code, Some(2));
    let text = &output.stderr;
    assert_eq!(
        has_color(&output.stderr),
        expected,
        "{arguments:?} {variables:?}: {text}"
    );
}

#[test]
fn colors_are_for_terminals_unless_somebody_asks() {
    let no_color = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert_error_color(false, &["check", CASE], &[]);
    assert_error_color(true, &["check", CASE], &[("CLICOLOR_FORCE", "1")]);
    assert_error_color(false, &["check", CASE], &no_color);
    // The option is stronger than the environment, wherever it is.
    assert_error_color(true, &["--color=always", "check", CASE], &no_color);
    assert_error_color(true, &["check", CASE, "--color", "always"], &[]);
    assert_error_color(
        false,
        &["check", CASE, "--color=never"],
        &[("CLICOLOR_FORCE", "1")],
    );
    assert_error_color(true, &["rnu", "--color=always"], &[]);
    assert_error_color(false, &["rnu", "--color=never"], &[("CLICOLOR_FORCE", "1")]);
}

#[test]
fn help_is_colored_like_all_else() {
    for arguments in [&["--help"][..], &["help", "run"], &["run", "-h"]] {
        assert!(!has_color(&netplan(arguments, &[]).stdout), "{arguments:?}");
        let always: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--color=always"])
            .collect();
        // `help` takes what follows for the name of a command.
        let always = if arguments[0] == "help" {
            vec!["--color=always", "help", "run"]
        } else {
            always
        };
        let output = netplan(&always, &[]);
        assert_eq!(output.code, Some(0), "{always:?}");
        assert!(has_color(&output.stdout), "{always:?}");
    }
}

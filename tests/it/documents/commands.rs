//! Command lines of netplan and make, in documents and in help texts.

use std::fs;
use std::path::Path;

use clap::error::ErrorKind;
use regex::Regex;

use super::Document;
use crate::support::ROOT;

/// What looks like a command of netplan and is none, with the reason.
const OTHER: &[(&str, &str)] = &[
    ("netplan apply", "a command of netplan.io"),
    ("netplan plan.yaml", "a mistake that netplan recognises"),
];

/// The simple commands of a line of shell, as words. Comments and the files of redirections are left out.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '|' | ';' | '&' | '>') => {
                let words = commands.last_mut().unwrap();
                match word.take() {
                    Some(_) if words.last().is_some_and(|last| last == ">") => {
                        words.pop();
                    }
                    word => words.extend(word),
                }
                match c {
                    ' ' => {}
                    '>' => words.push(">".to_owned()),
                    _ => commands.push(Vec::new()),
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    commands.retain(|words| !words.is_empty());
    commands
}

/// Where a command is written.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In a code block, to be typed as it is.
    Block,
    /// In a sentence, which may only name a command: `netplan render`.
    Span,
}

/// The command lines in a document.
fn command_lines(document: &Document) -> Vec<(Place, &str)> {
    let markdown = &document.markdown;
    let shell = markdown
        .blocks
        .iter()
        .filter(|block| block.language.is_empty());
    let lines = shell.flat_map(|block| block.text.lines());
    let lines = lines.map(|line| (Place::Block, line));
    let spans = markdown.spans.iter().map(|span| (Place::Span, &**span));
    lines.chain(spans).collect()
}

/// What is wrong with the arguments of netplan; placeholders count as good ones.
fn problem_of_netplan(place: Place, words: &[String]) -> Option<String> {
    let words = words.iter().filter(|word| !word.starts_with('…'));
    let words = words.map(|word| match word.as_str() {
        "SHELL" => "bash",
        "COMMAND" => "run",
        word => word,
    });
    let words: Vec<&str> = words.collect();
    if words.len() == 1 || OTHER.iter().any(|(other, _)| *other == words.join(" ")) {
        return None;
    }
    let error = netplan::cli::command().try_get_matches_from(words).err()?;
    let is_right = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument => place == Place::Span,
        _ => false,
    };
    (!is_right).then(|| error.to_string())
}

/// What is wrong with the arguments of make.
fn problem_of_make(makefile: &str, words: &[String]) -> Option<String> {
    words.iter().skip(1).find_map(|word| {
        if let Some((name, _)) = word.split_once('=') {
            let used = makefile.contains(&format!("$({name})"));
            return (!used).then(|| format!("the Makefile uses no variable {name}"));
        }
        let is_target = makefile.contains(&format!("\n{word}:"));
        (!is_target).then(|| format!("the Makefile has no target {word}"))
    })
}

fn problem(makefile: &str, place: Place, words: &[String]) -> Option<String> {
    let names: Vec<&str> = words.iter().take(2).map(String::as_str).collect();
    match names[..] {
        ["netplan" | "kubectl-netplan", ..] => problem_of_netplan(place, words),
        ["kubectl", "netplan"] => problem_of_netplan(place, &words[1..]),
        ["make", ..] => problem_of_make(makefile, words),
        _ => None,
    }
}

#[test]
fn commands_in_documents_are_right() {
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    let mut problems = Vec::new();
    let (mut of_netplan, mut of_make) = (0, 0);
    for document in Document::all() {
        for (place, line) in command_lines(&document) {
            for words in simple_commands(line) {
                of_netplan += usize::from(words[0] == "netplan");
                of_make += usize::from(words[0] == "make");
                if let Some(problem) = problem(&makefile, place, &words) {
                    problems.push(format!("{}: `{line}`: {problem}", document.path.display()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(of_netplan > 60, "{of_netplan} commands of netplan");
    assert!(of_make > 20, "{of_make} commands of make");
}

#[test]
fn examples_in_help_texts_are_right() {
    let mut problems = Vec::new();
    let mut checked = 0;
    let program = netplan::cli::command();
    for command in program.get_subcommands().chain([&program]) {
        let Some(help) = command.get_after_help() else {
            continue;
        };
        for line in help.to_string().lines() {
            // Two spaces or more separate a command from what it does.
            let Some(line) = line.strip_prefix("  ") else {
                continue;
            };
            for words in simple_commands(line.split("  ").next().unwrap()) {
                checked += usize::from(words[0] == "netplan");
                let problem = problem("", Place::Block, &words);
                problems.extend(problem.map(|problem| format!("`{line}`: {problem}")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > 40, "{checked} examples");
}

#[test]
fn named_plans_exist() {
    let plan = Regex::new(r"\bplans/[\w/-]+\.yaml\b").unwrap();
    for document in Document::all() {
        for named in plan.find_iter(&document.text) {
            let is_there = Path::new(ROOT).join(named.as_str()).exists();
            assert!(is_there, "{}: {}", document.path.display(), named.as_str());
        }
    }
}

#[test]
fn bad_commands_are_found() {
    let makefile = "\nrun:\n\techo $(PLAN)\n";
    let problem = |line: &str| problem(makefile, Place::Block, &simple_commands(line)[0]);
    assert_eq!(problem("netplan run a.yaml --only 'x=y' > f # why"), None);
    assert_eq!(problem("netplan help run"), None);
    assert!(problem("netplan run a.yaml --onyl x=y").is_some());
    assert!(problem("netplan run a.yaml --format yaml").is_some());
    assert!(problem("netplan check").is_some());
    assert_eq!(problem("make run PLAN=x"), None);
    assert!(problem("make walk").is_some());
    assert!(problem("make run PLANE=x").is_some());
    let words = simple_commands("a 'b c'|d > e && f # g");
    assert_eq!(words, [vec!["a", "b c"], vec!["d"], vec!["f"]]);
}

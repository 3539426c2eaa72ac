//! The decoder of a declared tool's command lines.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::command_check::{Names, check_argument, report_expression_error};
use crate::catalog::shared_parameter;
use crate::diag::{Place, Problem, did_you_mean, quote, some_of};
use crate::plan::decode::tree::decoder::Decoder;
use crate::plan::model::tools::declared::Argument;
use crate::plan::model::tools::expression;
use crate::plan::text::tree::{Kind, NodeId, Value};

/// A command line with the names in its expressions.
#[derive(Clone, Debug)]
pub struct Command {
    pub arguments: Vec<Argument>,
    pub names: BTreeSet<String>,
}

/// Reads a command line: a list of texts, and of lists of texts.
pub fn command(
    decoder: &Decoder<'_>,
    id: NodeId,
    known: &Names<'_>,
    is_client: bool,
) -> Option<Command> {
    if let Kind::Scalar(scalar) = &decoder.tree.get(id).kind
        && scalar.value == Value::Text
        && scalar.text.contains(' ')
    {
        let words: Vec<&str> = scalar.text.split_whitespace().collect();
        let problem = Problem::new(decoder.place(id), "a command is a list of arguments");
        decoder.report(problem.help(format!(
            "no shell takes it apart: write `[{}]`",
            words.join(", ")
        )));
        return None;
    }
    let items = decoder.list(id, "`[sockperf, server, -p, '{{ port }}']`")?;
    let mut names = BTreeSet::new();
    let mut read = |id| {
        let text = argument(decoder, id)?;
        check_names(
            decoder,
            decoder.place(id),
            &text,
            known,
            is_client,
            &mut names,
        )?;
        Some(text)
    };
    let found: Vec<Option<(Argument, Place)>> = items
        .iter()
        .map(|item| {
            let argument = match &decoder.tree.get(*item).kind {
                Kind::List(_) => {
                    let texts = decoder.list(*item, "`[-m, '{{ mss }}']`")?;
                    let texts: Vec<Option<String>> = texts.iter().map(|id| read(*id)).collect();
                    Argument::Together(texts.into_iter().collect::<Option<_>>()?)
                }
                _ => Argument::One(read(*item)?),
            };
            Some((argument, decoder.place(*item)))
        })
        .collect();
    let found: Vec<(Argument, Place)> = found.into_iter().collect::<Option<_>>()?;
    program(decoder, found.first()?)?;
    let tried = found
        .iter()
        .map(|(argument, place)| check_argument(decoder, argument, *place, known, is_client));
    // Read all arguments before one can fail the whole: every problem is reported.
    let tried: Vec<Option<()>> = tried.collect();
    tried.into_iter().collect::<Option<Vec<()>>>()?;
    Some(Command {
        arguments: found.into_iter().map(|(argument, _)| argument).collect(),
        names,
    })
}

/// An argument's text: also of a number, as it is written.
fn argument(decoder: &Decoder<'_>, id: NodeId) -> Option<String> {
    let node = decoder.tree.get(id);
    match &node.kind {
        Kind::Scalar(scalar) if scalar.value != Value::Null => {
            if scalar.text.contains('\0') {
                let what = "no program can be given a NUL";
                decoder.report(Problem::new(node.place, what));
                return None;
            }
            Some(scalar.text.clone())
        }
        _ => {
            let what = "an argument";
            let help = "a text or a number; for an empty argument write `''`";
            decoder.expected(id, what, help)
        }
    }
}

/// The program is looked for before anything runs, so it cannot depend on the cell.
fn program(decoder: &Decoder<'_>, first: &(Argument, Place)) -> Option<()> {
    match first {
        (Argument::One(text), _) if !text.is_empty() && !expression::is_expression(text) => {
            Some(())
        }
        (_, place) => {
            let what = "the first argument is the program, by its plain name";
            let help = "write the name or the path of the program, e.g. `sockperf` or `/usr/local/bin/my-tool`";
            decoder.report(Problem::new(*place, what).help(help));
            None
        }
    }
}

fn check_names(
    decoder: &Decoder<'_>,
    place: Place,
    text: &str,
    known: &Names<'_>,
    is_client: bool,
    found: &mut BTreeSet<String>,
) -> Option<()> {
    let names = match expression::names(text) {
        Ok(names) => names,
        Err(error) => {
            report_expression_error(decoder, place, &error);
            return None;
        }
    };
    let mut well = Some(());
    for name in names {
        let all = all_names(known, is_client);
        let is_there = all.contains(&name)
            || shared_parameter(&name).is_some()
            || (known.any_parameter && !name.contains('.'))
            || (known.ports.is_none() && (name == "port" || name.starts_with("ports.")));
        if is_there {
            found.insert(name);
            continue;
        }
        well = None;
        let problem = Problem::new(place, format!("{} is not known here", quote(&name)));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        decoder.report(match name.as_str() {
            "target" | "target_in_url" => {
                problem.help("only the client has a `target`: the server listens")
            }
            "port" => problem.help("the tool has no ports: name them in `ports:`"),
            _ => match did_you_mean(&name, all.iter().copied()) {
                Some(word) => problem.label(format!("did you mean `{word}`?")),
                None => problem.help(format!(
                    "there are {}; declare further parameters in `parameters:`",
                    some_of(&all)
                )),
            },
        });
    }
    well
}

/// What expressions may name, beside the parameters that netplan knows.
fn all_names(known: &Names<'_>, is_client: bool) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    if is_client {
        all.extend(["target", "target_in_url"].map(str::to_owned));
    }
    all.extend(["duration_s", "warmup_s", "slot"].map(str::to_owned));
    let ports = known.ports.unwrap_or_default();
    if !ports.is_empty() {
        all.push("port".to_owned());
    }
    all.extend(ports.iter().map(|port| format!("ports.{}", port.name)));
    all.extend(
        known
            .parameters
            .into_iter()
            .flat_map(IndexMap::keys)
            .cloned(),
    );
    all
}

//! Evaluates a declared tool's expressions before anything runs: where the tool is declared, with
//! example values; for each test that uses it, with the values that the test sets.

use std::slice::from_ref;

use indexmap::IndexMap;

use super::parameter::example;
use crate::catalog::{SHARED_PARAMETERS, shared_parameter};
use crate::diag::{Place, Problem};
use crate::plan::decode::tree::decoder::Decoder;
use crate::plan::describe::keys::MOST_CELLS;
use crate::plan::model::expect::Find;
use crate::plan::model::timing::Timing;
use crate::plan::model::tools::declared::{Argument, DeclaredPort, DeclaredUse, Parameter};
use crate::plan::model::tools::expression::{ExpressionError, Variables, command_line};

/// Of a longer sweep as many values are tried, spread over all of it.
const MOST_TRIED: usize = 2_000;

/// What a tool's expressions may name.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// None when they could not be read.
    pub ports: Option<&'a [DeclaredPort]>,
    pub parameters: Option<&'a IndexMap<String, Parameter>>,
    /// The parameters could not be read: any name may be one.
    pub any_parameter: bool,
}

/// Evaluates an argument with example values: once with every parameter set, and once with those that
/// always are.
pub fn check_argument(
    decoder: &Decoder<'_>,
    argument: &Argument,
    place: Place,
    known: &Names<'_>,
    is_client: bool,
) -> Option<()> {
    let ports = known.ports.unwrap_or_default();
    if known.ports.is_none() || known.any_parameter {
        return Some(());
    }
    let empty = IndexMap::new();
    let declared = known.parameters.unwrap_or(&empty);
    let all = SHARED_PARAMETERS
        .iter()
        .map(|shared| (shared.name, example(shared.name, declared.get(shared.name))))
        .chain(
            declared
                .iter()
                .filter(|(name, _)| shared_parameter(name).is_none())
                .map(|(name, parameter)| (name.as_str(), example(name, Some(parameter)))),
        );
    let all: Vec<(&str, u64)> = all.collect();
    let always = all
        .iter()
        .copied()
        .filter(|(name, _)| declared.get(*name).is_some_and(|p| p.default.is_some()));
    let always: Vec<(&str, u64)> = always.collect();
    for params in [&all, &always] {
        let variables = Variables {
            target: is_client.then_some("192.0.2.1"),
            duration_s: 10,
            warmup_s: 1,
            slot: 0,
            ports: ports.iter().map(|p| (p.name.as_str(), p.port)).collect(),
            params: params.clone(),
        };
        let line = command_line(from_ref(argument), &variables);
        if let Err(error) = line {
            report_expression_error(decoder, place, &error);
            return None;
        }
    }
    Some(())
}

/// Evaluates the command lines of a test with its values: each parameter goes through its own while
/// the others stay at their first.
pub fn check_use(
    decoder: &Decoder<'_>,
    place: Place,
    used: &DeclaredUse,
    timing: &Timing,
    find: Option<&Find>,
) {
    if used.values.values().any(|sweep| sweep.len() > MOST_CELLS) {
        // Refused for that.
        return;
    }
    let axes = used.values.iter();
    let mut axes: Vec<(&str, Vec<u64>)> = axes
        .map(|(name, sweep)| {
            let step = usize::try_from(sweep.len()).unwrap_or(usize::MAX) / MOST_TRIED + 1;
            let last = sweep.values().last().filter(|_| step > 1);
            let values = sweep.values().step_by(step).chain(last);
            (name.as_str(), values.collect())
        })
        .collect();
    if let Some(find) = find {
        axes.push(("rate", vec![find.from.0, find.to.0]));
    }
    let firsts = axes.iter();
    let firsts: IndexMap<&str, u64> = firsts
        .filter_map(|(name, values)| Some((*name, *values.first()?)))
        .collect();
    let others = axes.iter().flat_map(|(name, values)| {
        let others = values.iter().skip(1);
        others.map(|value| {
            let mut params = firsts.clone();
            params.insert(name, *value);
            params
        })
    });
    for params in std::iter::once(firsts.clone()).chain(others) {
        if let Some((argument, what)) = fails(used, timing, &params) {
            let values = params
                .iter()
                .map(|(name, value)| format!("`{name}: {value}`"));
            let values = match values.collect::<Vec<_>>() {
                values if values.is_empty() => String::new(),
                values => format!(" with {}", values.join(", ")),
            };
            let what = format!("`{argument}` cannot be evaluated{values}: {what}");
            let help = "the tool's parameters can have `min` and `max`; or change the argument in \
                        `tools:`";
            decoder.report(Problem::new(place, what).help(help));
            return;
        }
    }
}

/// The first argument that has no value with these parameters, and why.
fn fails(
    used: &DeclaredUse,
    timing: &Timing,
    params: &IndexMap<&str, u64>,
) -> Option<(String, ExpressionError)> {
    let tool = &used.tool;
    let (duration_s, warmup_s) = (timing.duration.0.as_secs(), timing.warmup.0.as_secs());
    let line = |arguments: &[Argument], target, duration_s, warmup_s| {
        let ports = tool.ports.iter();
        let variables = Variables {
            target,
            duration_s,
            warmup_s,
            slot: 0,
            ports: ports.map(|p| (p.name.as_str(), p.port)).collect(),
            params: params.iter().map(|(name, value)| (*name, *value)).collect(),
        };
        arguments.iter().find_map(|argument| {
            let error = command_line(from_ref(argument), &variables).err()?;
            let text = match argument {
                Argument::One(text) => text.clone(),
                Argument::Together(texts) => texts.join(" "),
            };
            Some((text, error))
        })
    };
    let client = &tool.client;
    let target = Some("192.0.2.1");
    let warms_up_apart = warmup_s > 0 && !client.warms_up;
    let server = tool.server.as_ref();
    server
        .and_then(|server| line(&server.command, None, duration_s, warmup_s))
        .or_else(|| line(&client.command, target, duration_s, warmup_s))
        .or_else(|| {
            let warmup = || line(&client.command, target, warmup_s, 0);
            warms_up_apart.then(warmup).flatten()
        })
}

/// Reports why an argument has no value.
pub fn report_expression_error(decoder: &Decoder<'_>, place: Place, error: &ExpressionError) {
    let problem = match error {
        ExpressionError::NotSet(_) => Problem::new(place, "a parameter in this may not be set")
            .help(
                "give the parameter a `default`, or put the arguments that need it into a list of \
                 their own, e.g. `[-m, '{{ mss }}']`, which is left out where it is not set",
            ),
        ExpressionError::Wrong(what) => Problem::new(
            place,
            format!("this expression cannot be evaluated: {what}"),
        )
        .help(
            "`{{ … }}` holds an expression of minijinja, e.g. `{{ size * 2 }}`; \
                 a literal `{{` is `{{ '{{' }}`",
        ),
    };
    decoder.report(problem);
}

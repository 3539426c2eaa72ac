//! What a declared tool's output says.

use std::cell::LazyCell;

use serde_json::Value;

use super::command::Declared;
use crate::catalog::Unit;
use crate::plan::{Figure, FigureSource, Take};
use crate::tools::failure::{Cause, Failure};
use crate::tools::metrics::Metrics;
use crate::tools::output::process_end::{Ended, How};
use crate::tools::output::{document, exit_failure, tool_text};

/// Words that programs take from the C library, in lower case, and what they mean.
const KNOWN: &[(&[&str], Cause)] = &[
    (&["address already in use"], Cause::ServerFailed),
    (&["connection refused"], Cause::Refused),
    (&["failed to connect"], Cause::Refused),
    (&["connection timed out"], Cause::ConnectTimeout),
    (&["no route to host"], Cause::NoRoute),
    (&["network is unreachable"], Cause::NoRoute),
    (&["connection reset"], Cause::ServerTerminated),
    (&["broken pipe"], Cause::ServerTerminated),
    (&["message too long"], Cause::OptionRefused),
    (&["invalid option"], Cause::OptionRefused),
    (&["unrecognized option"], Cause::OptionRefused),
    (&["unknown option"], Cause::OptionRefused),
    (&["no messages were received"], Cause::NothingMoved),
];

/// The figures of an invocation. `origin` is where the tool's programs come from.
pub(super) fn read(
    declared: &Declared,
    origin: Option<&str>,
    ended: &Ended,
) -> Result<Metrics, Failure> {
    let tool = &declared.tool;
    // Colours are not part of a figure.
    let stdout = plain(&ended.stdout);
    let stderr = plain(&ended.stderr);
    let said = tool_text::last_lines(&[stderr.as_bytes(), stdout.as_bytes()], |_| false);
    if let How::NotFound(program) = &ended.how {
        let origin = origin.unwrap_or_default();
        let words = format!("the program `{program}` is not there; {origin}");
        return Err(Failure::new(Cause::ToolMissing, &words));
    }
    if let Some(failure) = exit_failure::aborted(&tool.name, ended, &said) {
        return Err(failure);
    }
    if ended.how != How::Code(0) {
        return Err(exit_failure::without_result(
            &tool.name, ended, &said, KNOWN,
        ));
    }
    let (start, end) = ended.stdout_parts();
    let (start, end) = (plain(start), end.map(plain));
    let json = LazyCell::new(|| json(end.as_deref().unwrap_or(&start)));
    let mut metrics = Metrics::default();
    for (name, figure) in &tool.metrics {
        let found = match &figure.source {
            FigureSource::Regex(pattern) => {
                let (text, enough) = match (figure.take, &end) {
                    (_, None) => (&start, true),
                    (Take::First, Some(_)) => (&start, pattern.values(&start).next().is_some()),
                    (Take::Last, Some(end)) => (end, pattern.values(end).next().is_some()),
                    // All matches are needed.
                    (Take::Sum | Take::Mean | Take::Min | Take::Max, Some(_)) => (&start, false),
                };
                let mut found: Vec<&str> = pattern.values(text).collect();
                let mut enough = enough;
                if found.is_empty() {
                    found = pattern.values(&stderr).collect();
                    enough &= found.is_empty() || ended.cut.stderr == 0;
                }
                if !enough {
                    if figure.optional {
                        continue;
                    }
                    return Err(cut(declared, name, ended));
                }
                let found = found.into_iter().map(number);
                found.collect::<Result<Vec<f64>, String>>()
            }
            FigureSource::Json(pointer) => json
                .as_ref()
                .and_then(|json| pointer.value_in(json))
                // A null is how many programs say that they did not measure it.
                .filter(|value| !(figure.optional && value.is_null()))
                .map(of_json)
                .transpose()
                .map(|found| found.into_iter().collect()),
        };
        let value = found.map(|found| taken(&found, figure.take));
        match value.map(|value| value.map(|value| value * figure.unit.factor)) {
            Ok(Some(value)) if value.is_finite() => {
                metrics.set(figure.metric(name).name(), value);
            }
            Ok(None) if figure.optional => {}
            Ok(None) if ended.cut.bytes() > 0 => return Err(cut(declared, name, ended)),
            Ok(None) => return Err(missing(declared, name, figure, &said)),
            Ok(Some(_)) => return Err(no_number(declared, name, "it is not finite")),
            Err(text) => return Err(no_number(declared, name, &text)),
        }
    }
    check(declared, &metrics, &said)?;
    Ok(metrics)
}

/// A success that measured nothing is none.
fn check(declared: &Declared, metrics: &Metrics, said: &str) -> Result<(), Failure> {
    let tool = &declared.tool;
    let headline = &tool.headline;
    let value = metrics.get(&declared.headline);
    let kind = tool.metrics.get(headline).map(|figure| figure.unit.unit);
    let may_be_zero = kind == Some(Unit::Percent);
    match value {
        Some(value) if value > 0.0 || (may_be_zero && value >= 0.0) => Ok(()),
        Some(value) => {
            let name = &tool.name;
            let words = format!("{name} exited with 0 and said `{headline}` is {value}\n{said}");
            Err(Failure::new(Cause::NothingMoved, &words))
        }
        None => Err(no_number(declared, headline, "it is not there")),
    }
}

fn missing(declared: &Declared, name: &str, figure: &Figure, said: &str) -> Failure {
    let tool = &declared.tool.name;
    let how = match &figure.source {
        FigureSource::Regex(pattern) => format!("nothing matches `{pattern}`"),
        FigureSource::Json(pointer) => format!("there is no JSON value at `{pointer}`"),
    };
    let cause = exit_failure::known_cause(said, KNOWN).unwrap_or(Cause::Unparsable);
    let words = match said {
        "" => format!("{tool} printed nothing; `{name}` is missing"),
        said => format!("{tool}'s output has no `{name}`: {how}; it ends in\n{said}"),
    };
    Failure::new(cause, &words)
}

/// A figure that cannot be taken, or not surely, of what was kept of the output.
fn cut(declared: &Declared, name: &str, ended: &Ended) -> Failure {
    let tool = &declared.tool.name;
    let note = tool_text::cut_note(ended);
    let words = format!("{tool}'s `{name}` cannot be read{note}; make it print less");
    Failure::new(Cause::Unparsable, &words)
}

fn no_number(declared: &Declared, name: &str, why: &str) -> Failure {
    let tool = &declared.tool.name;
    let words = format!("{tool}'s `{name}` is not a number: {why}");
    Failure::new(Cause::Unparsable, &words)
}

fn plain(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    anstream::adapter::strip_str(&text).to_string()
}

/// The whole output, or the last object or array among its lines, or its last line.
fn json(stdout: &str) -> Option<Value> {
    let document = document::last(stdout.trim(), |_| true);
    document.or_else(|| {
        let last = stdout.lines().rev().find(|line| !line.trim().is_empty())?;
        serde_json::from_str(last.trim()).ok()
    })
}

fn of_json(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(found) => found.as_f64().ok_or_else(|| format!("`{found}`")),
        Value::String(text) => number(text),
        Value::Null => Err("it is null".to_owned()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err("it is not a figure".to_owned()),
    }
}

/// A number as programs print it.
fn number(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| crate::diag::quote(text))
}

/// The one figure of all that were found; none when there is none.
fn taken(found: &[f64], take: Take) -> Option<f64> {
    let sum = || found.iter().sum::<f64>();
    let first = *found.first()?;
    Some(match take {
        Take::First => first,
        Take::Last => *found.last()?,
        Take::Sum => sum(),
        Take::Mean => sum() / found.len() as f64,
        Take::Min => found.iter().copied().fold(first, f64::min),
        Take::Max => found.iter().copied().fold(first, f64::max),
    })
}

//! The decoder of a declared tool's metrics.

use indexmap::IndexMap;

use crate::catalog::{Metric, reserved_metric};
use crate::diag::{Place, Problem, quote};
use crate::plan::decode::tree::decoder::{At, Decoder, value_or_default};
use crate::plan::describe::keys::METRIC;
use crate::plan::model::tools::declared::{Figure, FigureSource};
use crate::plan::model::tools::extractor::{FigureUnit, Pattern, PatternError, Pointer};
use crate::plan::text::tree::NodeId;

/// Reads `metrics:` of a tool.
pub fn figures(decoder: &Decoder<'_>, id: NodeId) -> Option<IndexMap<String, Figure>> {
    let fields = decoder.fields(
        id,
        "a mapping with a name for each metric, e.g. `throughput: { regex: …, unit: Mbit/s }`",
        false,
    )?;
    if fields.entries().is_empty() {
        decoder.report(Problem::new(fields.place, "a tool has at least one metric"));
        return None;
    }
    let mut names: Vec<(String, Place)> = Vec::new();
    let found: Vec<Option<(String, Figure)>> = fields
        .entries()
        .iter()
        .map(|entry| {
            let name = At {
                value: entry.key.as_str(),
                place: entry.key_place,
            };
            let is_name = is_name(name.value);
            if !is_name {
                let what = format!("{} is not the name of a metric", quote(name.value));
                decoder.report(Problem::new(name.place, what).help(
                    "such names have `a` to `z`, `0` to `9` and `_`, start with a letter, and \
                     may have parts after a `.`, e.g. `latency.p99`",
                ));
            }
            let figure = figure(decoder, entry.value, name)?;
            let journal = figure.metric(name.value).name().to_owned();
            if let Some(of) = reserved_metric(&journal) {
                let what = format!("{} is {of}", quote(&journal));
                let help = "its figure would be taken for that: give it another name";
                let problem = Problem::new(name.place, what).help(help);
                decoder.report(problem);
            }
            if let Some((_, first)) = names.iter().find(|(other, _)| *other == journal) {
                let what = format!("two metrics would be called {}", quote(&journal));
                decoder.report(
                    Problem::new(name.place, what)
                        .label("again here")
                        .related(*first, "first here")
                        .help("give each a name of its own"),
                );
            }
            names.push((journal, name.place));
            is_name.then(|| (entry.key.clone(), figure))
        })
        .collect();
    found.into_iter().collect()
}

fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.len() <= 60
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('.').all(part)
}

fn figure(decoder: &Decoder<'_>, id: NodeId, name: At<&str>) -> Option<Figure> {
    let fields = decoder.mapping(id, &METRIC)?;
    let regex = fields.value("regex").and_then(|id| pattern(decoder, id));
    let json = fields.value("json").and_then(|id| pointer(decoder, id));
    let given = ["regex", "json"].map(|key| fields.key_place(key));
    let one_source = match given {
        [Some(first), Some(second)] => {
            let problem = Problem::new(second, "a metric is found in one way, and these are two");
            decoder.report(
                problem
                    .related(first, "the other")
                    .help("remove one of them"),
            );
            false
        }
        [None, None] if !fields.is_incomplete() => {
            let what = "this metric does not say where its figure is";
            decoder.report(
                Problem::new(fields.place, what)
                    .help("add `regex: 'rate: (?<value>[0-9.]+)'` or `json: /pointer/to/it`"),
            );
            false
        }
        _ => true,
    };
    let take = value_or_default(fields.choice("take"));
    let unit = fields.value("unit").and_then(|id| unit(decoder, id, name));
    let optional = fields.boolean("optional");
    let regex = regex.map(FigureSource::Regex);
    let source = regex.or_else(|| json.map(FigureSource::Json));
    one_source.then_some(Figure {
        source: source?,
        take,
        unit: unit?,
        optional,
    })
}

fn unit(decoder: &Decoder<'_>, id: NodeId, name: At<&str>) -> Option<FigureUnit> {
    let choices: Vec<(&'static str, FigureUnit)> = FigureUnit::NAMES
        .iter()
        .filter_map(|name| Some((*name, FigureUnit::named(name)?)))
        .collect();
    let unit = decoder.choice(id, &choices)?;
    match Metric::known(name.value).map(|known| known.unit()) {
        Some(known) if known != unit.unit => {
            let fitting = choices
                .iter()
                .filter(|(_, unit)| unit.unit == known)
                .map(|(name, _)| *name);
            let what = format!("{} cannot be in {}", quote(name.value), quote(unit.into()));
            decoder.report(
                Problem::new(decoder.place(id), what)
                    .related(name.place, "a name of netplan's own")
                    .help(format!(
                        "its unit may be {}; or give the metric another name",
                        crate::diag::one_of(fitting)
                    )),
            );
            None
        }
        _ => Some(unit),
    }
}

fn pattern(decoder: &Decoder<'_>, id: NodeId) -> Option<Pattern> {
    let At { value, place } = decoder.text(id)?;
    let problem = match Pattern::new(value) {
        Ok(pattern) => return Some(pattern),
        Err(PatternError::NoGroup) => Problem::new(place, PatternError::NoGroup.to_string())
            .help("put the number's pattern into it, e.g. `'rate: (?<value>[0-9.]+)'`"),
        Err(PatternError::Syntax { what, at }) => {
            let problem = Problem::new(place, format!("no regular expression: {what}"));
            let culprit = at.and_then(|(from, to)| value.get(from..to));
            match culprit.filter(|culprit| !culprit.is_empty()) {
                Some(culprit) => problem.label(format!("at {}", quote(culprit))),
                None => problem,
            }
        }
    };
    decoder.report(problem);
    None
}

fn pointer(decoder: &Decoder<'_>, id: NodeId) -> Option<Pointer> {
    let At { value, place } = decoder.text(id)?;
    if let Some(pointer) = Pointer::new(value) {
        return Some(pointer);
    }
    let problem = Problem::new(place, format!("{} is not a JSON pointer", quote(value)));
    let slashes = value
        .trim_start_matches(['$', '.'])
        .replace(['.', '['], "/")
        .replace(']', "");
    decoder.report(if value.starts_with('/') {
        problem.help("in a JSON pointer `~` is written `~0`, and `/` within a key `~1`")
    } else {
        problem
            .label(format!("write `/{}`?", slashes.trim_start_matches('/')))
            .help(
                "a JSON pointer (RFC 6901) has a `/` before each key or index, e.g. `/end/0/rate`",
            )
    });
    None
}

//! The decoder of `expect:` and `find:`.

use indexmap::IndexMap;

use super::decode::{At, Decoder, some_of};
use super::expect::{Bound, Comparison, Condition, Expectation, Expectations, Find, Goal};
use super::metric::{Metric, Unit};
use super::model::{Protocol, ToolSpec};
use super::tree::{Kind, NodeId, Value};
use super::units::{BitRate, Percent, Quantity, UnitError};
use crate::diag::{Place, Problem, did_you_mean, quote};

/// One entry of `expect:`, to be checked against what the rest of the plan says.
#[derive(Clone, Debug)]
pub struct Expected {
    metric_place: Place,
    value_place: Place,
    metric: Metric,
    expectation: Expectation,
}

impl Expected {
    pub fn of(expected: &[Expected]) -> Expectations {
        let entry = |e: &Expected| (e.metric.clone(), e.expectation.clone());
        Expectations(expected.iter().map(entry).collect::<IndexMap<_, _>>())
    }
}

/// Reads `expect:`, as far as it can be read. `preferred` are the metrics that are probably meant.
pub fn expectations(
    decoder: &Decoder<'_>,
    id: NodeId,
    preferred: &[Metric],
) -> Option<Vec<Expected>> {
    let what = "a mapping with a metric and its bound, as in `throughput: '>= 9 Gbit/s'`";
    let fields = decoder.fields(id, what, false)?;
    let found = fields.entries().iter().filter_map(|entry| {
        let name = At {
            value: entry.key.as_str(),
            place: entry.key_place,
        };
        let value = expectation_text(decoder, entry.value);
        let metric = metric(decoder, name, preferred)?;
        let value = value?;
        let (comparison, bound) = compared(decoder, value, &metric)?;
        let bound = bound_of(decoder, bound, value.place, &metric)?;
        let expectation = Expectation { comparison, bound };
        possible(decoder, value.place, &metric, &expectation)?;
        Some(Expected {
            metric_place: name.place,
            value_place: value.place,
            metric,
            expectation,
        })
    });
    Some(found.collect())
}

/// The text of an expectation; a bare number is one too, that only lacks its comparison.
fn expectation_text<'t>(decoder: &Decoder<'t>, id: NodeId) -> Option<At<&'t str>> {
    let node = decoder.tree.get(id);
    match &node.kind {
        Kind::Scalar(scalar) if !matches!(scalar.value, Value::Null | Value::Bool(_)) => Some(At {
            value: &scalar.text,
            place: node.place,
        }),
        _ => decoder.expected(id, "an expectation", "write it as in `'>= 9 Gbit/s'`"),
    }
}

fn metric(decoder: &Decoder<'_>, name: At<&str>, preferred: &[Metric]) -> Option<Metric> {
    let word = name.value;
    let found = preferred.iter().find(|metric| metric.word() == word);
    if let Some(metric) = found.cloned().or_else(|| Metric::known(word)) {
        return Some(metric);
    }
    let problem = Problem::new(
        name.place,
        format!("there is no metric named {}", quote(word)),
    );
    let by_name = Metric::KNOWN.iter().find(|metric| metric.name() == word);
    let words = |metrics: &'static [Metric]| metrics.iter().map(Metric::word);
    let preferred_word = did_you_mean(word, preferred.iter().map(Metric::word));
    let begun = |metric: &&Metric| word.len() > 2 && metric.word().starts_with(word);
    let begun = preferred.iter().chain(Metric::KNOWN).find(begun);
    let near = by_name
        .or(begun)
        .map(Metric::word)
        .or(preferred_word)
        .or_else(|| did_you_mean(word, words(Metric::KNOWN)));
    decoder.report(match near {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None if preferred.is_empty() => {
            problem.help(format!("there are {}", some_of(&all(Metric::KNOWN))))
        }
        None => problem.help(format!(
            "what is measured here is {}",
            some_of(&all(preferred))
        )),
    });
    None
}

fn all(metrics: &[Metric]) -> Vec<&str> {
    metrics.iter().map(Metric::word).collect()
}

/// The comparison that a text starts with, and the rest.
fn compared<'t>(
    decoder: &Decoder<'_>,
    text: At<&'t str>,
    metric: &Metric,
) -> Option<(Comparison, &'t str)> {
    let trimmed = text.value.trim();
    let split = Comparison::ALL.into_iter().find_map(|comparison| {
        let rest = trimmed.strip_prefix(comparison.sign())?;
        Some((comparison, rest.trim()))
    });
    if let Some((comparison, rest)) = split
        && !rest.starts_with(['<', '>', '='])
    {
        return Some((comparison, rest));
    }
    let sign = if metric.unit().more_is_better() {
        ">="
    } else {
        "<="
    };
    let bare = trimmed.trim_start_matches(['<', '>', '=', '!', '~', '≤', '≥', ' ']);
    let bare = if bare.is_empty() {
        metric.unit().example()
    } else {
        bare
    };
    let (sign, what) = if trimmed.starts_with(['≥', '≤']) || trimmed.starts_with("=>") {
        let sign = if trimmed.starts_with('≤') {
            "<="
        } else {
            ">="
        };
        (
            sign,
            format!("{} does not start with a comparison", quote(trimmed)),
        )
    } else if trimmed.starts_with("==") || trimmed.starts_with("!=") || trimmed.starts_with('=') {
        (
            sign,
            "no two measurements are equal, so a bound has to be a `>=`, `>`, `<=` or `<`"
                .to_owned(),
        )
    } else {
        (
            sign,
            format!("{} does not say how to compare", quote(trimmed)),
        )
    };
    decoder.report(Problem::new(text.place, what).help(format!("write `'{sign} {bare}'`")));
    None
}

/// An absolute bound, or one that is a share of another path's figure.
fn bound_of(decoder: &Decoder<'_>, text: &str, place: Place, metric: &Metric) -> Option<Bound> {
    if text.is_empty() {
        let problem = Problem::new(place, "there is no value behind the comparison");
        decoder.report(problem.help(format!("write it as in `'>= {}'`", metric.unit().example())));
        return None;
    }
    let Some((share, path)) = text.split_once(" of ") else {
        if let Some((share, _)) = text.split_once('%')
            && metric.unit() != Unit::Percent
        {
            let what = format!("{} does not say of what", quote(text));
            let help = format!("name a path, as in `{share}% of same-node`");
            decoder.report(Problem::new(place, what).help(help));
            return None;
        }
        return match metric.unit().parse(text) {
            Ok(value) => Some(Bound::Absolute(value)),
            Err(error) => unfit(decoder, place, metric, error),
        };
    };
    match Percent::parse(share) {
        Ok(Percent(percent)) if percent > 0.0 && percent <= 100_000.0 => Some(Bound::OfPath {
            percent,
            path: path.trim().to_owned(),
        }),
        Ok(percent) => {
            let what = format!("`{percent}` is out of range");
            let help = "a share of another path is more than 0% and at most 100000%";
            decoder.report(Problem::new(place, what).help(help));
            None
        }
        Err(error) => {
            decoder.report(Problem::new(place, error.what).help(error.help));
            None
        }
    }
}

/// Notes a bound that is no figure of its metric. One with the unit of another metric gets that
/// said.
fn unfit<T>(decoder: &Decoder<'_>, place: Place, metric: &Metric, error: UnitError) -> Option<T> {
    let example = metric.unit().example();
    let problem = Problem::new(place, error.what);
    let label = match metric.unit() {
        Unit::BitsPerSecond => "is a bit rate",
        Unit::Microseconds => "is a time",
        Unit::Percent => "is a number of percent",
        Unit::Bytes => "is a number of bytes",
        Unit::PerSecond => "is a number a second",
        Unit::Count => "is a number",
    };
    decoder.report(
        problem
            .label(format!("`{metric}` {label}, as in `{example}`"))
            .help(error.help),
    );
    None
}

/// Refuses a bound that every figure keeps, or none.
fn possible(
    decoder: &Decoder<'_>,
    place: Place,
    metric: &Metric,
    expectation: &Expectation,
) -> Option<()> {
    let Bound::Absolute(bound) = expectation.bound else {
        return Some(());
    };
    let is_share = *metric == Metric::LOST_PERCENT;
    let verdict = match expectation.comparison {
        Comparison::AtLeast if bound <= 0.0 => "always so",
        Comparison::AtMost if is_share && bound >= 100.0 => "always so",
        Comparison::Below if bound <= 0.0 => "never so",
        Comparison::Above if is_share && bound >= 100.0 => "never so",
        Comparison::AtLeast if is_share && bound > 100.0 => "never so",
        Comparison::Below if is_share && bound > 100.0 => "always so",
        _ => return Some(()),
    };
    let shown = expectation.show(metric.unit());
    let what = format!("`{metric} {shown}` is {verdict}");
    decoder.report(Problem::new(place, what).help("take another bound, or leave it out"));
    None
}

/// What a test expects: of metrics that its tool measures, beside paths that it measures too.
pub fn check_test(
    decoder: &Decoder<'_>,
    expected: &[Expected],
    tool: &ToolSpec,
    paths: &[String],
    known: &[&str],
) {
    let measured = tool.measures();
    for Expected {
        metric_place,
        value_place,
        metric,
        expectation,
    } in expected
    {
        if !measured.contains(metric) {
            let problem = Problem::new(
                *metric_place,
                format!("this test does not measure `{metric}`"),
            );
            decoder.report(problem.help(format!("it measures {}", some_of(&all(&measured)))));
        } else if let Bound::OfPath { path, .. } = &expectation.bound {
            let known = reference(decoder, path, *value_place, known);
            if known && !paths.contains(path) {
                let what = format!("this test does not measure the path {}", quote(path));
                let problem = Problem::new(*value_place, what);
                decoder.report(problem.help("add it to the test's `paths`, to compare with it"));
            } else if known && paths.len() == 1 {
                let what = format!("{} would be compared with itself", quote(path));
                let problem = Problem::new(*value_place, what);
                decoder.report(problem.help("the test needs a second path to compare with it"));
            }
        }
    }
}

/// Whether there is such a path; notes it if not.
fn reference(decoder: &Decoder<'_>, path: &str, place: Place, known: &[&str]) -> bool {
    if known.contains(&path) {
        return true;
    }
    let problem = Problem::new(place, format!("there is no path named {}", quote(path)));
    decoder.report(match did_you_mean(path, known.iter().copied()) {
        Some(word) => problem.label(format!("did you mean `{word}`?")),
        None => problem.help(format!("there are {}", some_of(known))),
    });
    false
}

/// What is expected on a path: metrics of some test on it, beside a path that such a test measures
/// too. `tests` are each test's tool and the paths that it measures.
pub fn check_path(
    decoder: &Decoder<'_>,
    expected: &[Expected],
    own: &str,
    tests: &[(&ToolSpec, &[String])],
    known: &[&str],
) {
    for Expected {
        metric_place,
        value_place,
        metric,
        expectation,
    } in expected
    {
        let here: Vec<_> = tests
            .iter()
            .filter(|(tool, paths)| {
                paths.iter().any(|path| path == own) && tool.measures().contains(metric)
            })
            .collect();
        if here.is_empty() {
            let text = format!("no test on this path measures `{metric}`");
            let mut measured: Vec<Metric> = Vec::new();
            for (tool, _) in tests
                .iter()
                .filter(|(_, p)| p.iter().any(|path| path == own))
            {
                let more = tool.measures();
                measured.extend(
                    more.into_iter()
                        .filter(|m| !measured.contains(m))
                        .collect::<Vec<_>>(),
                );
            }
            let help = match all(&measured).as_slice() {
                [] => "no test measures this path at all".to_owned(),
                words => format!("what is measured here is {}", some_of(words)),
            };
            decoder.report(Problem::new(*metric_place, text).help(help));
        } else if let Bound::OfPath { path, .. } = &expectation.bound {
            if !reference(decoder, path, *value_place, known) {
                continue;
            }
            let problem = if path == own {
                let text = format!("{} would be compared with itself", quote(path));
                Problem::new(*value_place, text).help("name another path")
            } else if here.iter().any(|(_, paths)| paths.contains(path)) {
                continue;
            } else {
                let text = format!("no test measures `{metric}` on {} too", quote(path));
                let help = "paths are compared within a test: add both to its `paths`";
                Problem::new(*value_place, text).help(help)
            };
            decoder.report(problem);
        }
    }
}

/// Reads `find:`.
pub fn find(decoder: &Decoder<'_>, id: NodeId, measured: &[Metric]) -> Option<Find> {
    let what = "a search, as in `{ rate: max, while: 'lost_percent <= 0.1' }`";
    let fields = decoder.fields(id, what, false)?;
    let goal = fields.required("rate", |id| decoder.choice(id, &[("max", Goal::Max)]));
    let rate = |id| {
        let rate = decoder.bounded(id, BitRate(1_000), BitRate(1_000_000_000_000))?;
        Some(At {
            value: rate,
            place: decoder.place(id),
        })
    };
    let from = fields.optional("from", rate);
    let to = fields.optional("to", rate);
    let within = fields.optional("within", |id| {
        decoder.bounded(id, Percent(0.1), Percent(50.0))
    });
    let condition = fields.required("while", |id| condition(decoder, id, measured));
    fields.done_else(|key| match key {
        "until" => Some("write under `while` what has to hold".to_owned()),
        "min" => Some("the lowest rate that is tried is `from`".to_owned()),
        "max" => Some("the highest rate that is tried is `to`".to_owned()),
        _ => None,
    });
    let low = from.map_or(BitRate(1_000_000), |from| from.value);
    let high = to.map_or(BitRate(100_000_000_000), |to| to.value);
    if low >= high
        && let Some(place) = to.or(from).map(|at| at.place)
    {
        let what = format!("there is no rate between `{low}` and `{high}`");
        let problem = Problem::new(place, what);
        decoder.report(match from.zip(to) {
            Some((from, _)) => problem
                .related(from.place, "starts here")
                .help("`from` is the lowest rate that is tried, `to` the highest"),
            None => problem.help("without them `from` is `1 Mbit/s` and `to` is `100 Gbit/s`"),
        });
        return None;
    }
    Some(Find {
        rate: goal?,
        from: low,
        to: high,
        within: within.unwrap_or(Percent(5.0)),
        condition: condition?,
    })
}

/// `lost_percent <= 0.1`: a metric that gets worse as the rate rises, and its bound.
fn condition(decoder: &Decoder<'_>, id: NodeId, measured: &[Metric]) -> Option<Condition> {
    let text = decoder.text(id)?;
    let at = text.value.find(['<', '>', '=', '≤', '≥', '!']);
    let Some((word, rest)) = at.map(|at| text.value.split_at(at)) else {
        let what = format!("{} does not compare a metric", quote(text.value));
        let help = "write it as in `'lost_percent <= 0.1'`";
        decoder.report(Problem::new(text.place, what).help(help));
        return None;
    };
    let name = At {
        value: word.trim(),
        place: text.place,
    };
    let metric = metric(decoder, name, measured)?;
    let rest = At {
        value: rest,
        place: text.place,
    };
    let (comparison, bound) = compared(decoder, rest, &metric)?;
    if metric.unit().more_is_better() || comparison.is_floor() {
        let what = format!(
            "`{metric} {}` does not stop to hold as the rate rises",
            comparison.sign()
        );
        let help = "a search needs what gets worse with the rate, from above, as in \
                    `'lost_percent <= 0.1'`";
        decoder.report(Problem::new(text.place, what).help(help));
        return None;
    }
    if bound.contains(" of ") {
        let what = "a search cannot compare with another path";
        let help = "its bound is a value, as in `'lost_percent <= 0.1'`";
        decoder.report(Problem::new(text.place, what).help(help));
        return None;
    }
    let value = match metric.unit().parse(bound) {
        Ok(value) => value,
        Err(error) => return unfit(decoder, text.place, &metric, error),
    };
    let expectation = Expectation {
        comparison,
        bound: Bound::Absolute(value),
    };
    possible(decoder, text.place, &metric, &expectation)?;
    if !measured.is_empty() && !measured.contains(&metric) {
        let problem = Problem::new(text.place, format!("this test does not measure `{metric}`"));
        let costs = |metric: &&Metric| !metric.unit().more_is_better();
        let costs: Vec<&str> = measured.iter().filter(costs).map(Metric::word).collect();
        decoder.report(problem.help(format!("a search may look at {}", some_of(&costs))));
        return None;
    }
    Some(Condition {
        metric,
        comparison,
        bound: value,
    })
}

/// Whether the tool sends at a rate that a search may set; notes it if not.
pub fn may_find(decoder: &Decoder<'_>, place: Place, tool: &ToolSpec) -> bool {
    let (what, help) = match tool {
        ToolSpec::Iperf3(iperf3) if iperf3.protocol == Protocol::Tcp => (
            "TCP finds the highest rate by itself",
            "leave `find` out, or write `protocol: udp`",
        ),
        ToolSpec::Iperf3(iperf3) if iperf3.rate.is_some() => (
            "the tool's `rate` is what `find` searches for",
            "remove the tool's `rate`; `from` and `to` of `find` bound the search",
        ),
        ToolSpec::Iperf3(_) => return true,
        ToolSpec::Declared(used) if used.values.contains_key("rate") => (
            "the tool's `rate` is what `find` searches for",
            "remove the tool's `rate`; `from` and `to` of `find` bound the search",
        ),
        ToolSpec::Declared(used) if used.tool.uses.contains("rate") => return true,
        ToolSpec::Declared(_) => (
            "this tool does not send at a rate, so there is none to find",
            "a tool from `tools:` sends at a rate when a command of it has `{{ rate }}`",
        ),
        ToolSpec::Netperf(_) => (
            "netperf does not send at a rate, so there is none to find",
            "use `iperf3: { protocol: udp }`",
        ),
    };
    decoder.report(Problem::new(place, what).help(help));
    false
}

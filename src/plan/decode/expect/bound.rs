//! The decoder of a metric's name and of its bound, e.g. `'>= 9 Gbit/s'` or `'>= 85% of same-node'`.

use crate::catalog::{Metric, Unit, name};
use crate::diag::{Place, Problem, did_you_mean, quote, some_of};
use crate::plan::decode::tree::decoder::{At, Decoder};
use crate::plan::model::expect::{Bound, Comparison, Expectation};
use crate::plan::model::units::{Percent, Quantity};

pub fn metric(decoder: &Decoder<'_>, name: At<&str>, preferred: &[Metric]) -> Option<Metric> {
    let word = name.value;
    let found = preferred.iter().find(|metric| metric.word() == word);
    if let Some(metric) = found.cloned().or_else(|| Metric::known(word)) {
        return Some(metric);
    }
    let problem = Problem::new(
        name.place,
        format!("there is no metric named {}", quote(word)),
    );
    let known: Vec<Metric> = Metric::all_known().collect();
    let by_name = known.iter().find(|metric| metric.name() == word);
    let preferred_word = did_you_mean(word, preferred.iter().map(Metric::word));
    let begun = |metric: &&Metric| word.len() > 2 && metric.word().starts_with(word);
    let begun = preferred.iter().chain(&known).find(begun);
    let near = by_name
        .or(begun)
        .map(Metric::word)
        .or(preferred_word)
        .or_else(|| did_you_mean(word, known.iter().map(Metric::word)));
    decoder.report(match near {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None if preferred.is_empty() => {
            problem.help(format!("there are {}", some_of(&all(&known))))
        }
        None => problem.help(format!(
            "what is measured here is {}",
            some_of(&all(preferred))
        )),
    });
    None
}

pub fn all(metrics: &[Metric]) -> Vec<&str> {
    metrics.iter().map(Metric::word).collect()
}

/// The comparison that a text starts with, and the rest.
pub fn compared<'t>(
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
pub fn bound_of(decoder: &Decoder<'_>, text: &str, place: Place, metric: &Metric) -> Option<Bound> {
    if text.is_empty() {
        let problem = Problem::new(place, "there is no value behind the comparison");
        decoder.report(problem.help(format!("write e.g. `'>= {}'`", metric.unit().example())));
        return None;
    }
    let Some((share, path)) = text.split_once(" of ") else {
        if let Some((share, _)) = text.split_once('%')
            && metric.unit() != Unit::Percent
        {
            let what = format!("{} does not say of what", quote(text));
            let help = format!("name a path, e.g. `{share}% of same-node`");
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
            decoder.report(error.at(place));
            None
        }
    }
}

/// Reports a bound that is not a figure of its metric. One with the unit of another metric gets that
/// said.
pub fn unfit<T>(decoder: &Decoder<'_>, place: Place, metric: &Metric, error: Problem) -> Option<T> {
    let example = metric.unit().example();
    let label = match metric.unit() {
        Unit::BitsPerSecond => "is a bit rate",
        Unit::Microseconds => "is a time",
        Unit::Percent => "is a number of percent",
        Unit::Bytes => "is a number of bytes",
        Unit::PerSecond => "is a number a second",
        Unit::Count => "is a number",
    };
    let label = format!("`{metric}` {label}, e.g. `{example}`");
    decoder.report(error.at(place).label(label));
    None
}

/// Refuses a bound that every figure keeps, or none.
pub fn possible(
    decoder: &Decoder<'_>,
    place: Place,
    metric: &Metric,
    expectation: &Expectation,
) -> Option<()> {
    let Bound::Absolute(bound) = expectation.bound else {
        return Some(());
    };
    let is_share = metric.name() == name::LOST_PERCENT;
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

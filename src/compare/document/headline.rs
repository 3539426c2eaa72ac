//! The sentences that sum a comparison up.

use super::figures::{answer_text, change, limit_text, percent, size, subject_text};
use crate::compare::{Comparison, PathVerdict, Versus};
use crate::diag;
use crate::report::document::number_format::NumberFormat;
use crate::statistics::judge::{Answer, LimitOutcome, Scale};

/// How the answers of a side come out: `1 slower, 2 faster, 8 alike, 2 undecided; judged 112 of 118 cells`.
#[must_use]
pub fn totals(versus: &Versus) -> String {
    let count = |fits: fn(Answer) -> bool| {
        let answers = versus.verdicts.iter().map(|it| it.judgement.answer);
        answers.filter(|answer| fits(*answer)).count()
    };
    let answers = [
        (count(|it| it == Answer::Slower), "slower"),
        (count(|it| it == Answer::Faster), "faster"),
        (count(|it| it == Answer::Alike), "alike"),
        (count(Answer::is_undecided), "undecided"),
    ];
    let answers: Vec<String> = answers
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let lost = match versus.matching.lost().count() {
        0 => String::new(),
        lost => format!(", {lost} without a figure in {}", versus.new.name),
    };
    let judged = format!(
        "judged {} of {}{lost}",
        versus.matching.cells.len(),
        diag::count(versus.matching.total(), "cell")
    );
    let parts = [answers.join(", "), judged];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// What follows from a side, in a sentence: whether it is worse, and where.
#[must_use]
pub fn verdict_line(comparison: &Comparison, versus: &Versus) -> String {
    let new = &versus.new.name;
    let failing: Vec<&PathVerdict> = comparison
        .failing(versus)
        .filter_map(|nth| versus.verdicts.get(nth))
        .collect();
    let names = |verdicts: &[&PathVerdict]| {
        let names: Vec<String> = verdicts
            .iter()
            .take(NAMED)
            .map(|verdict| subject_text(&verdict.subject))
            .collect();
        let more = verdicts.len().saturating_sub(NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("{}{more}", names.join(", "))
    };
    let (undecided, worse): (Vec<_>, Vec<_>) =
        failing
            .into_iter()
            .partition(|verdict| match verdict.judgement.limit {
                Some(limit) => limit.outcome == LimitOutcome::Undecided,
                None => verdict.judgement.answer.is_undecided(),
            });
    let (beyond, slower): (Vec<_>, Vec<_>) = worse
        .into_iter()
        .partition(|verdict| verdict.judgement.limit.is_some());
    let mut parts = Vec::new();
    for (worse, how) in [
        (beyond, "worse than `--fail-on` allows"),
        (slower, "slower"),
    ] {
        if !worse.is_empty() {
            parts.push(format!("{new} is {how}: {}", names(&worse)));
        }
    }
    if !undecided.is_empty() {
        parts.push(format!(
            "undecided, which is to fail: {}",
            names(&undecided)
        ));
    }
    if !versus.lost_paths.is_empty() {
        let paths = versus.lost_paths.iter().take(NAMED);
        let paths: Vec<String> = paths
            .map(|(test, path)| format!("{test} on {path}"))
            .collect();
        parts.push(format!("{new} has no figure of {}", paths.join(", ")));
    }
    if !parts.is_empty() {
        return parts.join("; ");
    }
    if versus.verdicts.is_empty() {
        return format!(
            "nothing of {new} can be compared with {}",
            comparison.base.name
        );
    }
    let undecided = versus
        .verdicts
        .iter()
        .filter(|it| it.judgement.answer.is_undecided());
    match undecided.count() {
        all if all == versus.verdicts.len() => {
            format!(
                "undecided whether {new} is slower than {}",
                comparison.base.name
            )
        }
        _ if !comparison.options.limits.is_empty() => {
            format!("{new} is not shown to be worse than `--fail-on` allows")
        }
        0 => format!("{new} is not slower than {}", comparison.base.name),
        some => format!(
            "{new} is not shown to be slower than {}; {some} undecided",
            comparison.base.name
        ),
    }
}

/// The width of an interval, as a share, from which on its ends are quoted.
const WIDE: f64 = 0.4;
/// Nothing larger is written.
const MOST: f64 = 1000.0;
/// So many paths are named in a sentence.
const NAMED: usize = 3;

/// The change that says most of a side, to be quoted: `iperf3-tcp on remote-service is 0.91 ± 0.02 of base: slower`.
#[must_use]
pub fn quotable(comparison: &Comparison, versus: &Versus) -> Option<String> {
    let rank = |verdict: &&PathVerdict| {
        let decided = matches!(verdict.judgement.answer, Answer::Slower | Answer::Faster);
        let estimate = verdict.judgement.estimate;
        // How sure the change is; without any spread, how large it is.
        let size = match estimate.map(|it| it.difference) {
            Some(difference) if difference.error > 0.0 => {
                (difference.value / difference.error).abs()
            }
            _ => verdict.judgement.change.abs(),
        };
        (
            u8::from(verdict.judgement.answer == Answer::Slower) + u8::from(decided),
            size,
        )
    };
    let verdict = versus.verdicts.iter().max_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })?;
    let of = match &verdict.subject.plain {
        None => comparison.base.name.clone(),
        Some(_) => format!("what it is in {}", comparison.base.name),
    };
    let answer = answer_text(verdict.judgement.answer);
    let subject = subject_text(&verdict.subject);
    let change = 1.0 + verdict.change();
    Some(match (verdict.question.scale, verdict.interval()) {
        // An interval so wide is not nearly symmetric.
        (Scale::Log, Some((low, high))) if high - low >= WIDE => {
            let (low, high) = (1.0 + low, (1.0 + high).min(MOST));
            format!("{subject} is between {low:.2} and {high:.2} of {of}: {answer}")
        }
        (Scale::Log, Some((low, high))) => {
            let half = (high - low) / 2.0;
            let decimals = if half < 0.005 { 3 } else { 2 };
            format!("{subject} is {change:.decimals$} ± {half:.decimals$} of {of}: {answer}")
        }
        (Scale::Log, None) => format!("{subject} is {change:.2} of {of}: {answer}"),
        (Scale::Difference, _) => {
            let (base, new) = verdict.figures();
            let format = NumberFormat::headline(&verdict.subject.metric, &[base, new]);
            let [base, new] = [base, new].map(|value| {
                let text = format!("{} {}", format.write(value), format.unit);
                text.trim_end().to_owned()
            });
            format!("{subject} is {new} instead of {base}: {answer}")
        }
        (Scale::Points, _) => {
            let (base, new) = verdict.figures();
            format!("{subject} is {new:.2} % instead of {base:.2} %: {answer}")
        }
    })
}

/// What a side would have found: `would have found a slowdown of 2.1 to 6.3 % (median 3.1 %) …`.
pub fn power(comparison: &Comparison, versus: &Versus) -> Option<String> {
    let shares = versus
        .verdicts
        .iter()
        .filter(|verdict| verdict.question.scale == Scale::Log)
        .filter_map(|verdict| Some(verdict.judgement.estimate?.detectable))
        .filter(|share| share.is_finite());
    let mut shares: Vec<f64> = shares.collect();
    shares.sort_by(f64::total_cmp);
    let (least, most) = (*shares.first()?, *shares.last()?);
    let text = |share| size(&percent(share)).to_owned();
    let range = if shares.len() == 1 {
        text(least)
    } else {
        let middle = *shares.get(shares.len() / 2)?;
        format!(
            "{} to {} (median {})",
            text(least),
            text(most),
            text(middle)
        )
    };
    let answers = comparison.versus.iter().map(|one| one.verdicts.len());
    Some(format!(
        "would have found a slowdown of {range} with 90 % probability, after correction for {}",
        diag::count(answers.sum(), "answer")
    ))
}

/// What a side would have found beyond its limits: `beyond the limits, a slowdown of 4.4 % (median)`.
pub fn power_beyond_limits(versus: &Versus) -> Option<String> {
    let verdicts = versus.verdicts.iter();
    let ratios = verdicts.filter(|verdict| verdict.question.scale == Scale::Log);
    let mut found: Vec<f64> = ratios
        .filter_map(|verdict| verdict.judgement.limit)
        .filter_map(|limit| limit.detectable)
        .filter(|share| share.is_finite())
        .collect();
    found.sort_by(f64::total_cmp);
    let middle = *found.get(found.len() / 2)?;
    Some(format!(
        "beyond the limits of `--fail-on` it would have found a slowdown of {} (median)",
        size(&percent(middle))
    ))
}

/// Why an answer is what it is, in a sentence.
#[must_use]
pub fn reason(verdict: &PathVerdict) -> String {
    let metric = &*verdict.subject.metric;
    let judgement = &verdict.judgement;
    let text = |share| change(metric, share);
    let change = text(verdict.change());
    let Some(estimate) = judgement.estimate else {
        return format!("{change}; one run a side, so how much unchanged runs differ is unknown");
    };
    let (low, high) = verdict.interval().unwrap_or_default();
    let interval = format!("the corrected interval is {} to {}", text(low), text(high));
    let why = match judgement.answer {
        Answer::Alike => format!("{interval}, within ±{}", size(&text(alike_share(verdict)))),
        Answer::Slower | Answer::Faster => format!("{interval}, which excludes 0"),
        Answer::Undecided | Answer::OneRunASide => format!("{interval}, which holds 0"),
    };
    let found = if estimate.detectable.is_finite() {
        format!("would have found {}", size(&text(estimate.detectable)))
    } else {
        "so few runs find no change".to_owned()
    };
    let limit = judgement.limit.map_or_else(String::new, |limit| {
        let text = limit_text(metric, limit.limit);
        let outcome = match limit.outcome {
            LimitOutcome::Beyond => format!("surely more than {text} worse"),
            LimitOutcome::Within => format!("surely not {text} worse"),
            LimitOutcome::Undecided => format!("not surely more than {text} worse"),
        };
        format!("; {outcome}")
    });
    format!("{change}; {why}; {found}{limit}")
}

/// Changes by at most this share are alike.
fn alike_share(verdict: &PathVerdict) -> f64 {
    let within = verdict.judgement.alike_within;
    verdict.question.scale.to_share(within.high)
}

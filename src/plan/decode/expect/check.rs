//! What is expected, held against the rest of the plan: metrics that are measured, and paths to
//! compare with.

use super::bound::all;
use super::expectations::Expected;
use crate::catalog::Metric;
use crate::diag::{Place, Problem, did_you_mean, quote, some_of};
use crate::plan::decode::tree::decoder::Decoder;
use crate::plan::model::expect::Bound;

/// What a test expects: of metrics that it measures, beside paths that it measures too.
pub fn check_test(
    decoder: &Decoder<'_>,
    expected: &[Expected],
    measured: &[Metric],
    paths: &[String],
    known: &[&str],
    variants: &[&str],
) {
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
            decoder.report(problem.help(format!("it measures {}", some_of(&all(measured)))));
        } else if let Bound::OfPath { path, .. } = &expectation.bound
            && !variants.contains(&&**path)
        {
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
/// too. `tests` are what each test measures, and on which paths.
pub fn check_path(
    decoder: &Decoder<'_>,
    expected: &[Expected],
    own: &str,
    tests: &[(Vec<Metric>, &[String])],
    known: &[&str],
    variants: &[&str],
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
            .filter(|(measured, paths)| {
                paths.iter().any(|path| path == own) && measured.contains(metric)
            })
            .collect();
        if here.is_empty() {
            let text = format!("no test on this path measures `{metric}`");
            let mut measured: Vec<Metric> = Vec::new();
            for (of_test, _) in tests
                .iter()
                .filter(|(_, p)| p.iter().any(|path| path == own))
            {
                for metric in of_test {
                    if !measured.contains(metric) {
                        measured.push(metric.clone());
                    }
                }
            }
            let help = match all(&measured).as_slice() {
                [] => "no test measures this path at all".to_owned(),
                words => format!("what is measured here is {}", some_of(words)),
            };
            decoder.report(Problem::new(*metric_place, text).help(help));
        } else if let Bound::OfPath { path, .. } = &expectation.bound
            && !variants.contains(&&**path)
        {
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

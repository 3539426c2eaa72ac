//! Sides → a comparison.

use std::collections::{BTreeSet, HashSet};

use indexmap::IndexMap;

use super::comparison::{Comparison, Factor, Machines, Pair, PathVerdict, Versus};
use super::floor::{FloorIndex, Floors};
use super::limit::Limit;
use super::options::Options;
use super::questions::mark::marks;
use super::questions::question::{Asked, Matched};
use super::questions::subject::Subject;
use super::sides::matching::{Matching, Why};
use super::sides::side::Side;
use crate::plan::VARIANT_MARK;
use crate::results::environment::configuration::Configuration;
use crate::statistics::judge::{Answer, Scale, judge};

/// Compares each of `others` with `base`. All that decides is corrected together. `floors` are the stored A/A floors.
#[must_use]
pub fn compare(base: Side, others: Vec<Side>, options: Options, floors: &Floors) -> Comparison {
    let pairs = if others.len() > 1 {
        pairs(&base, &others, &options)
    } else {
        Vec::new()
    };
    let mut versus = Vec::with_capacity(others.len());
    let mut asked: Vec<Vec<Asked>> = Vec::with_capacity(others.len());
    for new in others {
        let (one, questions) = prepare(&base, new, &options, floors);
        versus.push(one);
        asked.push(questions);
    }
    let questions: Vec<_> = asked
        .iter()
        .flatten()
        .map(|it| it.question.clone())
        .collect();
    let mut judged = judge(&questions).into_iter();
    for (one, questions) in versus.iter_mut().zip(asked) {
        // The answers come in the order of the questions.
        let answered = questions.into_iter().zip(judged.by_ref());
        one.verdicts = answered
            .map(|(asked, judgement)| PathVerdict {
                subject: asked.subject,
                cells: asked.cells,
                question: asked.question,
                judgement,
            })
            .collect();
    }
    Comparison {
        options,
        base,
        versus,
        pairs,
    }
}

/// All of two sides but the answers, and the questions.
fn prepare(base: &Side, new: Side, options: &Options, floors: &Floors) -> (Versus, Vec<Asked>) {
    let machines = machines(base, &new, options);
    let matching = Matching::new(base, &new, options.only.as_ref());
    let matched = Matched {
        base,
        new: &new,
        cells: &matching.cells,
    };
    let floor = base.runs.first().and_then(|run| floors.get(&run.machine));
    let floor = floor.map(FloorIndex::new);
    let absolute = absolute(matched, options, floor.as_ref());
    let mut lost_metrics = Vec::new();
    let mut marked = (Vec::new(), 0);
    let mut factors = Vec::new();
    let asked = if machines == Machines::Same {
        lost_metrics = self::lost_metrics(matched, &absolute, options);
        marked = marks(matched, options);
        absolute
    } else {
        factors = self::factors(&absolute);
        ratios(matched, options)
    };
    let versus = Versus {
        machines,
        configuration: Configuration::differences(
            base.runs.iter().map(|run| &run.configuration),
            new.runs.iter().map(|run| &run.configuration),
        ),
        verdicts: Vec::new(),
        lost_metrics,
        lost_paths: lost_paths(base, &matching),
        factors,
        marks: marked.0,
        marks_judged: marked.1,
        matching,
        new,
    };
    (versus, asked)
}

/// Whether figures can be compared: whether all runs are of machines that match the first one's.
fn machines(base: &Side, new: &Side, options: &Options) -> Machines {
    let differences = || {
        let mut runs = base.runs.iter().chain(&new.runs);
        let first = runs.next()?;
        let mut found = runs.map(|run| first.machine.differences(&run.machine));
        found.find(|differences| !differences.is_empty())
    };
    match options.same_machine {
        Some(true) => Machines::Same,
        Some(false) => Machines::Different(Vec::new()),
        None => differences().map_or(Machines::Same, Machines::Different),
    }
}

/// A question for each test, path and metric that decides, or that `--fail-on` names.
fn absolute(matched: Matched<'_>, options: &Options, floor: Option<&FloorIndex<'_>>) -> Vec<Asked> {
    let mut asked = Vec::new();
    for ((test, path), cells) in &matched.groups() {
        let decisive = matched.decisive(test);
        for metric in matched.metrics(cells) {
            let decides = decisive.iter().any(|other| other == metric);
            let found = matched.ask((test, path), cells, metric, options, floor);
            asked.extend(found.filter(|asked| decides || asked.question.limit.is_some()));
        }
    }
    asked.extend(costs(matched, options));
    asked
}

/// A question for what each variant costs: for the ratio of a path under it to the same path under the base.
fn costs(matched: Matched<'_>, options: &Options) -> Vec<Asked> {
    let groups = matched.groups();
    let mut asked = Vec::new();
    for ((test, path), cells) in &groups {
        let Some((plain, _)) = path.split_once(VARIANT_MARK) else {
            continue;
        };
        let decisive = matched.decisive(test);
        for metric in matched.metrics(cells) {
            let decides = decisive.iter().any(|other| other == metric);
            let found = matched.ask_ratio((test, path), plain, &groups, metric, options);
            asked.extend(found.filter(|_| decides));
        }
    }
    asked
}

/// A question for the ratio of each path to its plain counterpart; in a test without any such path, of each
/// path to the first.
fn ratios(matched: Matched<'_>, options: &Options) -> Vec<Asked> {
    let groups = matched.groups();
    let counterpart = |path: &str| {
        let run = matched.base.runs.first()?;
        run.counterparts.get(path).map(String::as_str)
    };
    let mut paths: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (test, path) in groups.keys() {
        paths.entry(test).or_default().push(path);
    }
    let mut asked = Vec::new();
    for (test, paths) in &paths {
        let known = |path: &str| counterpart(path).filter(|plain| paths.contains(plain));
        let has_pairs = paths.iter().any(|path| known(path).is_some());
        for path in paths {
            let first = paths.first().copied().filter(|first| first != path);
            let Some(plain) = (if has_pairs { known(path) } else { first }) else {
                continue;
            };
            let cells = groups.get(&(*test, *path)).map_or(&[][..], Vec::as_slice);
            let decisive = matched.decisive(test);
            for metric in matched.metrics(cells) {
                let decides = decisive.iter().any(|other| other == metric);
                let found = matched.ask_ratio((test, path), plain, &groups, metric, options);
                asked.extend(found.filter(|asked| decides || asked.question.limit.is_some()));
            }
        }
    }
    asked
}

/// Metrics that decide or that a limit names, that BASE has in all its runs, and that could not be compared.
fn lost_metrics(matched: Matched<'_>, asked: &[Asked], options: &Options) -> Vec<Subject> {
    let asked: HashSet<&Subject> = asked.iter().map(|asked| &asked.subject).collect();
    let mut lost = Vec::new();
    for ((test, path), cells) in matched.groups() {
        for metric in matched.metrics(&cells) {
            let decides = matched.decisive(test).iter().any(|other| other == metric);
            let limit = Limit::for_subject(&options.limits, test, path, metric, decides);
            let subject = Subject {
                test: test.to_owned(),
                path: path.to_owned(),
                plain: None,
                metric: metric.to_owned(),
            };
            let counts = decides || limit.is_some();
            if counts && !asked.contains(&subject) && matched.base_has(&cells, metric) {
                lost.push(subject);
            }
        }
    }
    lost
}

/// Tests on paths where BASE measured cells and no run of NEW measured any.
fn lost_paths(base: &Side, matching: &Matching) -> Vec<(String, String)> {
    let mut paths: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut kept: BTreeSet<(&str, &str)> = BTreeSet::new();
    for cell in &matching.unmatched {
        let path = (&*cell.test, &*cell.path);
        match cell.why {
            Why::Lost {
                everywhere: true, ..
            } => drop(paths.insert(path)),
            Why::Lost { .. } | Why::MeasuredDifferently { .. } => drop(kept.insert(path)),
            Why::NotInBase(_) => {}
        }
    }
    paths.retain(|path| !kept.contains(path));
    for id in &matching.cells {
        if let Some(cell) = base.runs.first().and_then(|run| run.cells.get(id)) {
            paths.remove(&(&*cell.test, &*cell.path));
        }
    }
    let owned = |(test, path): (&str, &str)| (test.to_owned(), path.to_owned());
    paths.into_iter().map(owned).collect()
}

/// For each metric that decides, what all paths changed by.
fn factors(asked: &[Asked]) -> Vec<Factor> {
    let mut changes: IndexMap<&str, Vec<f64>> = IndexMap::new();
    for asked in asked.iter().filter(|it| it.question.scale == Scale::Log) {
        let of_metric = changes.entry(&asked.subject.metric).or_default();
        of_metric.push(asked.question.change());
    }
    let factor = |(metric, changes): (&str, Vec<f64>)| Factor {
        metric: metric.to_owned(),
        value: (changes.iter().sum::<f64>() / changes.len() as f64).exp(),
        paths: changes.len(),
    };
    changes.into_iter().map(factor).collect()
}

/// Which of more than two sides can be told apart. All pairs are corrected together.
fn pairs(base: &Side, others: &[Side], options: &Options) -> Vec<Pair> {
    let sides: Vec<&Side> = std::iter::once(base).chain(others).collect();
    let without_limits = Options {
        limits: Vec::new(),
        ..options.clone()
    };
    let mut pairs = Vec::new();
    let mut asked = Vec::new();
    for (nth, one) in sides.iter().enumerate() {
        for two in sides.iter().skip(nth + 1) {
            if machines(one, two, options) != Machines::Same {
                continue;
            }
            let matching = Matching::new(one, two, options.only.as_ref());
            let matched = Matched {
                base: one,
                new: two,
                cells: &matching.cells,
            };
            let questions = absolute(matched, &without_limits, None);
            pairs.push(Pair {
                one: one.name.clone(),
                two: two.name.clone(),
                told_apart: Vec::new(),
                judged: questions.len(),
            });
            asked.extend(questions.into_iter().map(|it| (pairs.len() - 1, it)));
        }
    }
    let questions: Vec<_> = asked.iter().map(|(_, it)| it.question.clone()).collect();
    for ((pair, asked), judgement) in asked.into_iter().zip(judge(&questions)) {
        let differs = matches!(judgement.answer, Answer::Slower | Answer::Faster);
        if let Some(pair) = pairs.get_mut(pair).filter(|_| differs) {
            pair.told_apart.push(asked.subject);
        }
    }
    pairs
}

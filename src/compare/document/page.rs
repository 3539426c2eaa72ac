//! The comparison with charts: the changes with their intervals, and the curves of both sides.

use std::collections::BTreeMap;

use indexmap::{IndexMap, IndexSet};

use super::figures::{answer_text, path_text, percent, subject_text};
use super::from_comparison::{one, sides};
use super::headline::reason;
use crate::compare::judge::Scale;
use crate::compare::sides::metric;
use crate::compare::{Comparison, PathVerdict, Side, Versus};
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{
    Axis, Block, Chart, Document, Dot, DotPlot, DotRow, Level, Meaning, Point, Series,
};
use crate::report::labels;
use crate::schedule::Param;
use crate::statistics::{ALPHA, Interval, Summary};

/// So many curves are shown of a side; the tables have all answers.
const MOST_CURVES: usize = 12;
/// The shortest sweep that is drawn.
const DRAWN_FROM: usize = 4;
/// What the reference looks like, and what the other side.
const LOOKS: [usize; 2] = [7, 0];

impl Document {
    /// As [`Document::from_comparison`], with charts, for a page.
    #[must_use]
    pub fn page_from_comparison(comparison: &Comparison) -> Document {
        let names: Vec<&str> = comparison.versus.iter().map(|it| &*it.new.name).collect();
        let title = format!(
            "{} compared with {}",
            names.join(", "),
            comparison.base.name
        );
        let mut blocks = vec![
            Block::Heading {
                level: Level::Document,
                title,
            },
            Block::Text(sides(comparison)),
        ];
        for versus in &comparison.versus {
            let many = comparison.versus.len() > 1;
            let titled = |what: &str| {
                let name = &versus.new.name;
                let title = if many {
                    format!("{name}: {what}")
                } else {
                    what.to_owned()
                };
                Block::Heading {
                    level: Level::Section,
                    title,
                }
            };
            let mut answers = one(comparison, versus).into_iter();
            let verdict = answers.next().map(|block| with_uncertainty(block, versus));
            if !many {
                // In the head of the page.
                blocks.extend(verdict.clone());
            }
            blocks.push(titled("Changes"));
            blocks.extend(verdict.filter(|_| many));
            blocks.extend(changes(comparison, versus));
            blocks.push(titled("Answers"));
            blocks.extend(answers);
            let curves = curves(&comparison.base, versus);
            if !curves.is_empty() {
                blocks.push(titled("Curves"));
                blocks.extend(curves);
            }
        }
        Document { blocks }
    }
}

/// The verdict; where all is undecided, it is not good.
fn with_uncertainty(verdict: Block, versus: &Versus) -> Block {
    let mut verdict = verdict;
    let is_undecided = |it: &PathVerdict| it.judgement.answer.is_undecided();
    if let Block::Text(paragraphs) = &mut verdict
        && versus.verdicts.iter().all(is_undecided)
    {
        for span in paragraphs.iter_mut().flatten() {
            if span.meaning == Meaning::Good {
                span.meaning = Meaning::Warning;
            }
        }
    }
    verdict
}

/// Each subject's change with its corrected interval; a plot for each metric.
fn changes(comparison: &Comparison, versus: &Versus) -> Vec<Block> {
    let mut by_metric: IndexMap<&str, Vec<&PathVerdict>> = IndexMap::new();
    for verdict in &versus.verdicts {
        let of_metric = by_metric.entry(&verdict.subject.metric);
        of_metric.or_default().push(verdict);
    }
    // A path has the same look in all plots.
    let paths: IndexSet<&str> = versus.verdicts.iter().map(|it| &*it.subject.path).collect();
    let plot = |(metric, verdicts): (&str, Vec<&PathVerdict>)| {
        let row = |verdict: &&PathVerdict| DotRow {
            name: format!("{} {}", verdict.subject.test, path_text(&verdict.subject)),
            look: paths
                .get_index_of(&*verdict.subject.path)
                .unwrap_or_default(),
            dots: vec![Dot {
                name: String::new(),
                value: verdict.change() * 100.0,
                interval: verdict.interval().map(|(low, high)| Interval {
                    low: low * 100.0,
                    high: high * 100.0,
                }),
            }],
        };
        let unit = match verdicts.first().map(|it| it.question.scale) {
            Some(Scale::Points) => "percentage points",
            _ => "%",
        };
        Block::DotPlot(DotPlot {
            caption: metric::word(metric),
            finding: largest(&verdicts),
            x: Axis {
                name: format!("change from {}", comparison.base.name),
                unit: unit.to_owned(),
            },
            reference: Some(0.0),
            decimals: 1,
            rows: verdicts.iter().map(row).collect(),
        })
    };
    by_metric.into_iter().map(plot).collect()
}

/// `The largest change is that of iperf3-tcp on hairpin: -9.1 %, slower.`
fn largest(verdicts: &[&PathVerdict]) -> String {
    let size = |verdict: &&&PathVerdict| verdict.change().abs();
    let largest = verdicts.iter().max_by(|a, b| size(a).total_cmp(&size(b)));
    largest.map_or_else(String::new, |verdict| {
        format!(
            "The largest change is that of {}: {}, {}.",
            subject_text(&verdict.subject),
            percent(verdict.question.scale, verdict.change()),
            answer_text(verdict.judgement.answer)
        )
    })
}

/// The figures of both sides over a swept size, for each test on a path; those that changed first.
fn curves(base: &Side, versus: &Versus) -> Vec<Block> {
    let mut verdicts: Vec<&PathVerdict> = versus
        .verdicts
        .iter()
        .filter(|it| it.subject.plain.is_none())
        .collect();
    verdicts.sort_by_key(|it| {
        it.judgement.answer.is_undecided() || it.judgement.answer.name() == "alike"
    });
    let curves = verdicts
        .into_iter()
        .filter_map(|it| curve(base, versus, it));
    curves.take(MOST_CURVES).map(Block::Chart).collect()
}

fn curve(base: &Side, versus: &Versus, verdict: &PathVerdict) -> Option<Chart> {
    let subject = &verdict.subject;
    let means = |side: &Side| -> BTreeMap<u64, Summary> {
        let mut by_size: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for cell in side.runs.iter().flat_map(|run| run.cells.values()) {
            let size = [Param::Mss, Param::Datagram]
                .iter()
                .find_map(|size| cell.params.get(size));
            let figure = cell
                .figures
                .as_ref()
                .ok()
                .and_then(|all| all.get(&subject.metric));
            if let (Some(size), Some(figure)) = (size, figure)
                && (&cell.test, &cell.path) == (&subject.test, &subject.path)
            {
                by_size.entry(*size).or_default().push(*figure);
            }
        }
        let summaries = by_size.into_iter();
        summaries
            .filter_map(|(size, all)| Some((size, Summary::from_values(all)?)))
            .collect()
    };
    let sides = [(base, means(base)), (&versus.new, means(&versus.new))];
    // More figures than runs are those of other parameters, too: not one curve.
    let is_curve = |(side, means): &(&Side, BTreeMap<u64, Summary>)| {
        means.len() >= DRAWN_FROM && means.values().all(|it| it.count <= side.runs.len())
    };
    if !sides.iter().all(is_curve) {
        return None;
    }
    let all: Vec<f64> = sides
        .iter()
        .flat_map(|(_, means)| means.values())
        .map(|it| it.mean)
        .collect();
    let format = NumberFormat::headline(&subject.metric, &all);
    let series = sides.iter().zip(LOOKS).map(|((side, means), look)| Series {
        name: side.name.clone(),
        look,
        points: means
            .iter()
            .map(|(size, summary)| Point {
                x: *size,
                y: Some(summary.mean / format.divisor),
                interval: summary
                    .interval(ALPHA)
                    .map(|it| it.divided_by(format.divisor)),
            })
            .collect(),
    });
    let finding = format!("{}.", reason(verdict));
    Some(Chart {
        caption: format!("{} on {}", subject.test, subject.path),
        finding,
        x: Axis {
            name: "size".to_owned(),
            unit: "bytes".to_owned(),
        },
        y: Axis {
            name: labels::short(&subject.metric),
            unit: format.unit.to_owned(),
        },
        top: all.into_iter().fold(0.0, f64::max) / format.divisor,
        decimals: format.decimals,
        series: series.collect(),
        ..Chart::default()
    })
}

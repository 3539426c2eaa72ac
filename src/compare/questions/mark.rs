//! Marks: single cells, and metrics that do not decide, that changed.

use super::question::{Asked, Matched};
use super::subject::Subject;
use crate::catalog::Better;
use crate::compare::options::Options;
use crate::schedule::CellId;
use crate::statistics::{ALPHA, correction};

/// A change that is noted and does not decide. Of all marks of a comparison 5 % are there by chance, on the average
/// (Benjamini and Hochberg).
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub subject: Subject,
    /// The single cell; `None` for all cells of the path.
    pub cell: Option<CellId>,
    /// As a share; of points divided by 100, of a difference in the metric's unit.
    pub change: f64,
    pub is_worse: bool,
    /// The p-value of no change, corrected for all that could have been marked.
    pub p_adjusted: f64,
}

/// The marks of two sides, the surest first, and how many there could have been. Without two runs on some side
/// there are none.
pub fn marks(matched: Matched<'_>, options: &Options) -> (Vec<Mark>, usize) {
    let mut all: Vec<(Asked, Option<CellId>)> = Vec::new();
    for ((test, path), cells) in &matched.groups() {
        let decisive = matched.decisive(test);
        let ask = |cells: &[&CellId], metric: &str| {
            matched.ask((test, path), cells, metric, options, None)
        };
        for metric in matched.metrics(cells) {
            let decides = decisive.iter().any(|other| other == metric);
            let others = (!decides).then(|| ask(cells, metric)).flatten();
            // One that `--fail-on` names decides, too.
            all.extend(
                others
                    .filter(|asked| asked.question.limit.is_none())
                    .map(|asked| (asked, None)),
            );
        }
        // The only cell of a path is the path.
        for id in cells.iter().filter(|_| cells.len() > 1) {
            let of_cell = decisive.iter().filter_map(|metric| ask(&[*id], metric));
            all.extend(of_cell.map(|asked| (asked, Some((*id).clone()))));
        }
    }
    let known: Vec<(Asked, Option<CellId>, f64)> = all
        .into_iter()
        .filter_map(|(asked, cell)| {
            let (difference, _) = asked.question.estimate()?;
            let p = difference.p_value();
            Some((asked, cell, p))
        })
        .collect();
    let p: Vec<f64> = known.iter().map(|(.., p)| *p).collect();
    let adjusted = correction::benjamini_hochberg(&p);
    let judged = known.len();
    let mut marks: Vec<Mark> = known
        .into_iter()
        .zip(adjusted)
        .filter(|(_, p)| *p <= ALPHA)
        .map(|((asked, cell, _), p_adjusted)| mark(asked, cell, p_adjusted))
        .collect();
    marks.sort_by(|a, b| a.p_adjusted.total_cmp(&b.p_adjusted));
    (marks, judged)
}

fn mark(asked: Asked, cell: Option<CellId>, p_adjusted: f64) -> Mark {
    let question = &asked.question;
    let change = question.change();
    Mark {
        cell,
        change: question.scale.to_share(change),
        is_worse: (change < 0.0) == (question.better == Better::More),
        p_adjusted,
        subject: asked.subject,
    }
}

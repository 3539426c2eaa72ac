//! The ratios of variants to the base.

use serde::Serialize;

use crate::report::Report;
use crate::report::variants::{Cost, costs};
use crate::statistics::{Difference, Interval, Pairs};

/// A path under a variant, beside the same path under the base.
#[derive(Serialize)]
pub struct Row<'a> {
    test: &'a str,
    path: &'a str,
    variant: &'a str,
    base: &'a str,
    metric: String,
    /// How much the variant has of the base, over all cells of the path; null if no cell has two rounds with a pair.
    #[serde(flatten)]
    pairs: Option<PairedRatio>,
    /// `slower`, `faster`, `alike` or `undecided`, corrected for all that decide; null for a metric that does not.
    answer: Option<&'static str>,
    p_adjusted: Option<f64>,
    /// The smallest change for the worse that would have been found with a probability of 90 %, as a share.
    detectable: Option<f64>,
    cells: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct PairedRatio {
    ratio: f64,
    /// The 95 % interval.
    interval: Option<Interval>,
    rounds: usize,
    pairs: usize,
    /// Pairs with a missing side.
    dropped: usize,
    order_effect: Option<OrderEffect>,
}

/// By how much the ratio differs when the variant is measured after the base instead of before it.
#[derive(Serialize)]
struct OrderEffect {
    ratio: f64,
    p: f64,
}

#[derive(Serialize)]
struct Cell<'a> {
    cell: &'a str,
    #[serde(flatten)]
    pairs: Option<PairedRatio>,
}

/// The rows of a report.
pub fn rows(report: &Report) -> Vec<Row<'_>> {
    let base = report.plan.variant_name(0).unwrap_or_default();
    costs(report)
        .into_iter()
        .filter_map(|cost| row(report, base, cost))
        .collect()
}

fn row<'a>(report: &'a Report, base: &'a str, cost: Cost<'a>) -> Option<Row<'a>> {
    let estimate = cost.judgement.as_ref().and_then(|judged| judged.estimate);
    let ratio = |pairs: &Pairs| paired_ratio(pairs, report.ratio_interval(cost.test, pairs));
    Some(Row {
        test: &report.plan.tests.get(cost.test)?.name,
        path: cost.path,
        variant: report.plan.variant_name(cost.variant)?,
        base,
        metric: cost.metric,
        pairs: cost.pairs.as_ref().map(ratio),
        answer: cost.judgement.as_ref().map(|judged| judged.answer.name()),
        p_adjusted: estimate.map(|estimate| estimate.p_adjusted),
        detectable: estimate
            .map(|estimate| estimate.detectable)
            .filter(|size| size.is_finite()),
        cells: cost
            .cells
            .iter()
            .map(|(cell, pairs)| Cell {
                cell: &cell.id.0,
                pairs: pairs.as_ref().map(ratio),
            })
            .collect(),
    })
}

fn paired_ratio(pairs: &Pairs, interval: Option<Interval>) -> PairedRatio {
    let order = |effect: Difference| OrderEffect {
        // After is one place later than the base, before one place earlier.
        ratio: (2.0 * effect.value).exp(),
        p: effect.p_value(),
    };
    PairedRatio {
        ratio: pairs.ratio(),
        interval,
        rounds: pairs.rounds,
        pairs: pairs.pairs,
        dropped: pairs.dropped,
        order_effect: pairs.order_effect.map(order),
    }
}

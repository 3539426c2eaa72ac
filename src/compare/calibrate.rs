//! The A/A floor of runs of one unchanged setup on one machine.

use thiserror::Error;

use super::floor::{Floor, FloorEntry};
use super::options::Options;
use super::questions::question::Matched;
use super::sides::matching::Matching;
use super::sides::side::{MachinesDiffer, Side};
use crate::statistics::Spread;

/// With fewer runs the spread is hardly known: a factor of five lies between the ends of its 95 % interval.
pub const FEWEST_RUNS: usize = 4;

/// Why runs give no floor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalibrateError {
    #[error(
        "an A/A floor takes at least {FEWEST_RUNS} runs of one plan, with nothing changed between them; found {0}"
    )]
    TooFew(usize),
    #[error("the CPU of these runs is unknown, so that an A/A floor would not be of one machine")]
    UnknownCpu,
    #[error("{0}; an A/A floor is of one machine")]
    Machines(MachinesDiffer),
    #[error("no cell was measured in all runs; an A/A floor is of runs of one plan")]
    NoCells,
}

/// How much the runs of a side differ from each other, for each test, path and metric.
///
/// # Errors
/// When there are too few runs, when their machines differ, or when they have no cell in common.
pub fn calibrate(side: &Side) -> Result<Floor, CalibrateError> {
    let Some(first) = side.runs.first() else {
        return Err(CalibrateError::TooFew(0));
    };
    if side.runs.len() < FEWEST_RUNS {
        return Err(CalibrateError::TooFew(side.runs.len()));
    }
    if let Some(differ) = side.machines_differ() {
        return Err(CalibrateError::Machines(differ));
    }
    if first.machine.cpus.is_empty() {
        return Err(CalibrateError::UnknownCpu);
    }
    let matching = Matching::new(side, side, None);
    let matched = Matched {
        base: side,
        new: side,
        cells: &matching.cells,
    };
    let mut entries = Vec::new();
    for ((test, path), cells) in &matched.groups() {
        for metric in matched.metrics(cells) {
            let asked = matched.ask((test, path), cells, metric, &Options::default(), None);
            let Some((asked, spread)) = asked.and_then(|asked| {
                let spread = Spread::from_values(&asked.question.base)?;
                Some((asked, spread))
            }) else {
                continue;
            };
            entries.push(FloorEntry {
                test: (*test).to_owned(),
                path: (*path).to_owned(),
                settings: matched.settings(test, cells),
                metric: metric.to_owned(),
                scale: asked.question.scale,
                cells: asked.cells,
                runs: side.runs.len(),
                deviation: spread.deviation,
            });
        }
    }
    if entries.is_empty() {
        return Err(CalibrateError::NoCells);
    }
    Ok(Floor {
        machine: first.machine.clone(),
        entries,
    })
}

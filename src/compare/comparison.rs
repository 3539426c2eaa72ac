//! What a comparison says: plain data, from which documents and files are made.

use super::options::Options;
use super::questions::mark::Mark;
use super::questions::subject::Subject;
use super::sides::matching::Matching;
use super::sides::side::Side;
use crate::results::environment::configuration::Difference;
use crate::statistics::judge::{Judgement, Question, Scale};

/// One reference beside one other side or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub options: Options,
    pub base: Side,
    pub versus: Vec<Versus>,
    /// Which sides can be told apart; empty with two sides, or where figures of machines cannot be compared.
    pub pairs: Vec<Pair>,
}

/// The reference beside one other side.
#[derive(Clone, Debug, PartialEq)]
pub struct Versus {
    pub new: Side,
    pub machines: Machines,
    pub configuration: Vec<Difference>,
    pub matching: Matching,
    /// What decides, in BASE's order.
    pub verdicts: Vec<PathVerdict>,
    /// Metrics that decide, and that NEW has no figures of.
    pub lost_metrics: Vec<Subject>,
    /// Tests on paths where BASE measured cells and NEW measured none.
    pub lost_paths: Vec<(String, String)>,
    /// What all paths have in common; only between different machines.
    pub factors: Vec<Factor>,
    /// What changed beside what decides, and of how many.
    pub marks: Vec<Mark>,
    pub marks_judged: usize,
}

/// Whether figures can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machines {
    Same,
    /// Machines differ; ratios of paths are compared instead. What differs: its name, and the value on each side.
    /// Empty if the command line said so.
    Different(Vec<(&'static str, String, String)>),
}

/// A subject with its figures and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct PathVerdict {
    pub subject: Subject,
    /// The cells that a run's figure is the mean of.
    pub cells: usize,
    pub question: Question,
    pub judgement: Judgement,
}

/// What the figures of one metric on all paths have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    pub metric: String,
    /// NEW is so many times BASE, as the geometric mean over the paths.
    pub value: f64,
    pub paths: usize,
}

/// Two sides, and what tells them apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub one: String,
    pub two: String,
    /// What differs more than by chance and by more than the margin.
    pub told_apart: Vec<Subject>,
    /// Of so many subjects.
    pub judged: usize,
}

impl PathVerdict {
    /// BASE's and NEW's figure: the mean over cells and runs, a geometric one where ratios are compared. In the
    /// metric's unit; between different machines a ratio of two paths.
    #[must_use]
    pub fn figures(&self) -> (f64, f64) {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let figure = |values: &[f64]| match self.question.scale {
            Scale::Log => mean(values).exp(),
            Scale::Points | Scale::Difference => mean(values),
        };
        (figure(&self.question.base), figure(&self.question.new))
    }

    /// The change as a share; of points divided by 100, of a difference in the metric's unit.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.question.scale.to_share(self.judgement.change)
    }

    /// The corrected interval of the change, as the change.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        let interval = self.judgement.estimate?.interval;
        let share = |change| self.question.scale.to_share(change);
        Some((share(interval.low), share(interval.high)))
    }
}

//! The values of a parameter: one, a list, or a range.

use super::decoder::Decoder;
use crate::diag::Problem;
use crate::plan::describe::keys::RANGE;
use crate::plan::model::sweep::{Sweep, SweepError};
use crate::plan::model::units::BitRate;
use crate::plan::text::tree::{Kind, NodeId};

impl Decoder<'_> {
    /// The values of a parameter: one, a list, or a range. `read` is given the bounds for each.
    pub fn sweep<T: Copy + Into<u64>>(
        &self,
        id: NodeId,
        least: u64,
        most: u64,
        unit: &str,
        read: impl Fn(NodeId, u64, u64) -> Option<T>,
    ) -> Option<Sweep<T>> {
        let node = self.tree.get(id);
        match &node.kind {
            Kind::Scalar(_) => read(id, least, most).map(Sweep::One),
            Kind::List(items) => {
                let values = items.iter().map(|item| read(*item, least, most));
                // Read all entries before one can fail the whole: every problem is reported.
                let values: Vec<Option<T>> = values.collect();
                let values: Option<Vec<T>> = values.into_iter().collect();
                let values = values?;
                match Sweep::list(values.clone()) {
                    Ok(sweep) => Some(sweep),
                    Err(SweepError::Duplicate(at)) => {
                        let value = values.get(at).copied().map(Into::into);
                        let first = values.iter().position(|v| Some((*v).into()) == value);
                        if let (Some(value), Some(first)) = (value, first) {
                            self.duplicate(items.get(at), items.get(first), &value.to_string());
                        }
                        None
                    }
                    Err(error) => {
                        let problem = Problem::new(node.place, error.to_string());
                        self.report(problem.help("a sweep needs at least one value"));
                        None
                    }
                }
            }
            Kind::Map(_) => {
                let fields = self.mapping(id, &RANGE)?;
                let part = |key, least, most| {
                    let id = fields.value(key)?;
                    Some((read(id, least, most)?, self.place(id)))
                };
                let from = part("from", least, most);
                // The range need not reach its bound: what counts is the last value.
                let to = part("to", 0, u64::MAX);
                let step = part("step", 0, u64::MAX);
                let ((from, from_place), (to, to_place), (step, step_place)) = (from?, to?, step?);
                let problem = match Sweep::range(from, to, step) {
                    Ok(sweep) => {
                        let (first, steps) = (from.into(), sweep.len() - 1);
                        let end = first + steps * step.into();
                        if end > most {
                            let shown = match unit {
                                "bit/s" => format!("`{}`", BitRate(end)),
                                _ => end.to_string(),
                            };
                            let found = format!("{shown}, the last value of this range,");
                            self.out_of_range(to_place, &found, least, most, unit);
                            return None;
                        }
                        return Some(sweep);
                    }
                    Err(SweepError::ZeroStep) => {
                        Problem::new(step_place, SweepError::ZeroStep.to_string())
                            .label("endless")
                            .help("a step is 1 or more; for a single value write just the number")
                    }
                    Err(error) => Problem::new(to_place, error.to_string())
                        .label(format!("less than {}", from.into()))
                        .related(from_place, "starts here")
                        .help("swap `from` and `to`; cells run in ascending order"),
                };
                self.report(problem);
                None
            }
        }
    }
}

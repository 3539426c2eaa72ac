//! One side of a comparison: one run or more of the same setup.

use thiserror::Error;

use super::run::Run;

/// Runs of the same setup.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// What people call it, e.g. `base`, or the name of a folder.
    pub name: String,
    /// At least one, in the order of time.
    pub runs: Vec<Run>,
}

/// Two runs of a side are of different machines.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the runs `{one}` and `{two}` are of different machines ({what})")]
pub struct MachinesDiffer {
    pub one: String,
    pub two: String,
    pub what: String,
}

impl Side {
    /// A side of these runs, in the order of time.
    #[must_use]
    pub fn new(name: impl Into<String>, mut runs: Vec<Run>) -> Side {
        runs.sort_by(|a, b| (a.began, &a.id).cmp(&(b.began, &b.id)));
        Side {
            name: name.into(),
            runs,
        }
    }

    /// Two runs of machines that cannot be compared, if there are any.
    #[must_use]
    pub fn machines_differ(&self) -> Option<MachinesDiffer> {
        // What one run does not know another may: all pairs.
        self.runs.iter().enumerate().find_map(|(nth, one)| {
            self.runs.iter().skip(nth + 1).find_map(|two| {
                let differences = one.machine.differences(&two.machine);
                let (name, here, there) = differences.first()?;
                Some(MachinesDiffer {
                    one: one.name.clone(),
                    two: two.name.clone(),
                    what: format!("{name}: {here} and {there}"),
                })
            })
        })
    }
}

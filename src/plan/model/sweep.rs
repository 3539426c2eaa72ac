//! The values that a parameter takes.

use std::collections::HashSet;

use serde::Serialize;

/// The values of a parameter: one, a list, or a range whose `to` is a bound that is included when
/// a step lands on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Sweep<T> {
    One(T),
    List(Vec<T>),
    Range { from: T, to: T, step: T },
}

/// Why there is no such sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    #[error("the list is empty")]
    Empty,
    /// The index of the second of two equal values.
    #[error("item {0} of the list is there already")]
    Duplicate(usize),
    #[error("the step is 0, so the range never ends")]
    ZeroStep,
    #[error("the range is descending")]
    Descending,
}

impl<T: Copy + Into<u64>> Sweep<T> {
    /// The values of a list.
    ///
    /// # Errors
    /// When the list is empty or has a value twice.
    pub fn list(values: Vec<T>) -> Result<Sweep<T>, SweepError> {
        let mut seen = HashSet::new();
        if let Some(at) = values
            .iter()
            .position(|value| !seen.insert((*value).into()))
        {
            return Err(SweepError::Duplicate(at));
        }
        if values.is_empty() {
            Err(SweepError::Empty)
        } else {
            Ok(Sweep::List(values))
        }
    }

    /// The values `from`, `from + step`, and so on up to the bound `to`.
    ///
    /// # Errors
    /// When the range would have no value or no end.
    pub fn range(from: T, to: T, step: T) -> Result<Sweep<T>, SweepError> {
        if step.into() == 0 {
            Err(SweepError::ZeroStep)
        } else if from.into() > to.into() {
            Err(SweepError::Descending)
        } else {
            Ok(Sweep::Range { from, to, step })
        }
    }

    /// The values, in the order in which they run.
    pub fn values(&self) -> impl Iterator<Item = u64> + '_ {
        let (list, range): (&[T], _) = match self {
            Sweep::One(value) => (std::slice::from_ref(value), None),
            Sweep::List(values) => (values, None),
            Sweep::Range { from, to, step } => {
                (&[], Some(((*from).into(), (*to).into(), (*step).into())))
            }
        };
        let stepped = range
            .into_iter()
            .flat_map(|(from, to, step): (u64, u64, u64)| {
                let next =
                    move |at: &u64| at.checked_add(step).filter(|next| step > 0 && *next <= to);
                std::iter::successors((from <= to).then_some(from), next)
            });
        list.iter().map(|value| (*value).into()).chain(stepped)
    }

    /// How many values there are, without going through them.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Sweep::One(_) => 1,
            Sweep::List(values) => values.len() as u64,
            Sweep::Range { from, to, step } => {
                let (from, to, step) = ((*from).into(), (*to).into(), (*step).into());
                match to.checked_sub(from) {
                    None => 0,
                    Some(distance) => distance.checked_div(step).unwrap_or(0).saturating_add(1),
                }
            }
        }
    }

    /// Whether there is no value; never so for a sweep that the constructors made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same values in another type.
    #[must_use]
    pub fn map<U>(&self, to: impl Fn(T) -> U) -> Sweep<U> {
        match self {
            Sweep::One(value) => Sweep::One(to(*value)),
            Sweep::List(values) => Sweep::List(values.iter().map(|value| to(*value)).collect()),
            Sweep::Range {
                from,
                to: end,
                step,
            } => Sweep::Range {
                from: to(*from),
                to: to(*end),
                step: to(*step),
            },
        }
    }

    /// The value that runs first.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.values().next()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nptest_has_22_points() {
        let sweep = Sweep::range(96_u64, 1460, 64).unwrap();
        let values: Vec<u64> = sweep.values().collect();
        assert_eq!((sweep.len(), values.len()), (22, 22));
        assert_eq!((values[0], values[21]), (96, 1440));
    }

    #[test]
    fn a_step_that_lands_on_the_bound_includes_it() {
        let sweep = Sweep::range(1_u64, 5, 2).unwrap();
        assert_eq!(sweep.values().collect::<Vec<_>>(), [1, 3, 5]);
    }

    #[test]
    fn what_is_no_sweep_is_refused() {
        assert_eq!(Sweep::range(1_u64, 5, 0), Err(SweepError::ZeroStep));
        assert_eq!(Sweep::range(5_u64, 1, 1), Err(SweepError::Descending));
        assert_eq!(Sweep::<u64>::list(vec![]), Err(SweepError::Empty));
        assert_eq!(
            Sweep::list(vec![1_u64, 2, 1]),
            Err(SweepError::Duplicate(2))
        );
    }

    proptest! {
        #[test]
        fn a_range_holds_its_laws(from: u64, distance in 0..5_000_u64, step in 1..400_u64) {
            let to = from.saturating_add(distance);
            let sweep = Sweep::range(from, to, step).unwrap();
            let values: Vec<u64> = sweep.values().collect();
            prop_assert_eq!(values.len() as u64, sweep.len());
            prop_assert_eq!(sweep.first(), Some(from));
            prop_assert!(values.windows(2).all(|pair| pair[1] - pair[0] == step));
            prop_assert!(values.last().is_some_and(|last| *last <= to && to - last < step));
        }

        #[test]
        fn any_range_has_a_length(from: u64, to: u64, step: u64) {
            let sweep = Sweep::Range { from, to, step };
            prop_assert_eq!(sweep.is_empty(), sweep.first().is_none());
        }
    }
}

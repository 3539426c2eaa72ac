//! The values that a parameter takes.

use schemars::JsonSchema;
use serde::Serialize;

/// The values of a parameter: one, a list, or a range whose `to` is a bound that is included when
/// a step lands on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Sweep<T> {
    One(T),
    List(Vec<T>),
    Range { from: T, to: T, step: T },
}

impl<T: Copy + Into<u64>> Sweep<T> {
    /// The values, in the order in which they run.
    pub fn values(&self) -> impl Iterator<Item = u64> + '_ {
        let (list, range): (&[T], _) = match self {
            Sweep::One(value) => (std::slice::from_ref(value), None),
            Sweep::List(values) => (values, None),
            Sweep::Range { from, to, step } => {
                (&[], Some(((*from).into(), (*to).into(), (*step).into())))
            }
        };
        let range = range
            .into_iter()
            .flat_map(|(from, to, step): (u64, u64, u64)| {
                std::iter::successors(Some(from), move |v| v.checked_add(step.max(1)))
                    .take_while(move |v| *v <= to)
            });
        list.iter().map(|value| (*value).into()).chain(range)
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values().count()
    }

    /// Whether there is no value; a checked plan has none such.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values().next().is_none()
    }
}

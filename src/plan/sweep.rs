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

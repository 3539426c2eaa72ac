//! The whole report as one JSON document, for programs.
//!
//! Stable: within a version fields are only added. `cells` are in the order of the schedule; each
//! has its `params`, its `outcome` (`measured`, `failed`, `skipped`, `partial`, `missing`),
//! `statistics` by metric (when measured, if only in part; of a search over the samples at the rate that it
//! has `found`), all `samples` and the attempts that failed. Rates are bits a second;
//! every name carries its unit: mean, median, standard deviation, minimum, maximum and interval are
//! in it, the coefficient of variation is a share of 1. `interval` is the mean's 95 % interval.
//! `marks` has what `during:` of the tests did, when it did anything: `offset_s` counts from the go of the samples.
//! `baselines` has the ratio of a cell's headline to that of the plain path's, `expectations` what the
//! plan expects of each cell and how it came out (`pass`, `fail`, `undecided`, `not_measured`). `under_load`, where tests
//! have loads, has what each load changed.

mod cell;
mod cells;
mod document;
mod under_load;
mod variants;

pub use document::{VERSION, render, write};

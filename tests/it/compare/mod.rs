//! Comparisons of runs that are made in code, with the program and without.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formats;
mod outcomes;
mod runs;
mod simulated;

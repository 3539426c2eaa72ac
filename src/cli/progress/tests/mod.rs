//! Tests with generated runs.

mod view;

//! Where workers run. A cluster takes rendered objects and makes them run.

pub mod local;

//! A report for continuous integration: annotations of GitHub, `JUnit` XML.

pub mod github;
pub mod junit;

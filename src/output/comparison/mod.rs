//! A comparison for programs: JSON, JUnit, GitHub's annotations.

pub mod github;
pub mod json;
pub mod junit;

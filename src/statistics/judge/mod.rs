//! Answers: from a value for each run of two sides to `alike`, `slower`, `faster` or `undecided`.
//!
//! Numbers only: what the values are of is up to the caller.

mod answer;
mod decide;
mod question;

pub use answer::{Answer, Basis, Estimate, Judgement, LimitJudgement, LimitOutcome};
pub use decide::judge;
pub use question::{Question, Scale};

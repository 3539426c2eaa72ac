//! Statistics over samples. Pure: no clock, no randomness.

mod binomial;
mod interval;
mod outliers;
mod ratio;
pub mod student;
mod summary;

pub use binomial::wilson;
pub use interval::{ALPHA, Interval};
pub use outliers::{OUTLIERS_FROM, outliers};
pub use ratio::{Ratio, ratio};
pub use student::critical;
pub use summary::Summary;

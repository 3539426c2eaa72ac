//! Statistics over samples. Pure: no clock, no randomness.

pub mod correction;
mod difference;
mod interval;
mod outliers;
mod proportion;
mod ratio;
pub mod stopping_rule;
pub mod student;
mod summary;

pub use difference::{Difference, POWER, Spread};
pub use interval::{ALPHA, Interval};
pub use outliers::{OUTLIERS_FROM, outliers};
pub use proportion::wilson;
pub use ratio::{Ratio, ratio};
pub use student::critical;
pub use summary::Summary;

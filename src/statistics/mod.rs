//! Statistics over samples. Pure: no clock, no randomness.

mod change_point;
pub mod correction;
mod difference;
mod interval;
pub mod judge;
mod outliers;
mod pairs;
mod proportion;
mod ratio;
mod recent;
pub mod stopping_rule;
pub mod student;
mod summary;
mod trend;

pub use change_point::{ChangePoint, likeliest_change, pettitt};
pub use difference::{Difference, POWER, Spread};
pub use interval::{ALPHA, Interval};
pub use outliers::{OUTLIERS_FROM, outliers};
pub use pairs::{Pairs, Round, Rounds};
pub use proportion::wilson;
pub use ratio::{Ratio, ratio};
pub use recent::{Recent, prediction, recent};
pub use student::critical;
pub use summary::Summary;
pub use trend::{MannKendall, mann_kendall, theil_sen};

//! What pods reach of each other, as the command line asks for it and shows it.

mod evidence;
mod matrix;

pub(super) use self::evidence::{Unasked, endpoint, evidence};
pub(super) use self::matrix::matrix;

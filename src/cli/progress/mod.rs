//! What a person sees while a run is under way.
//!
//! [`Progress`] shows a status line on a terminal and plain lines elsewhere. What it shows is decided
//! in [`view`], which is pure; [`requests`] are the ticks, keys and signals that ask it to show
//! something.

mod eta;
#[cfg(unix)]
mod job_control;
#[cfg(not(unix))]
#[path = "no_job_control.rs"]
mod job_control;
#[cfg(unix)]
mod keyboard;
#[cfg(not(unix))]
#[path = "no_keyboard.rs"]
mod keyboard;
mod labels;
mod live;
mod requests;
mod status_line;
#[cfg(test)]
mod tests;
mod view;

pub(super) use labels::forecast_text;
pub(super) use live::Progress;
pub(super) use requests::ignore_early_requests;
pub(super) use view::Phase;

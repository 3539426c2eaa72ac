//! Folders of iperf3's JSON documents (`-J`) → runs.

mod documents;
mod pattern;
mod placed;
mod reading;
mod runs;
mod shape;
mod shared_plan;
mod workers;

pub use documents::Documents;
pub use pattern::{Match, Pattern};
pub use placed::Document;
pub use reading::Reading;

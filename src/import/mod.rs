//! Results of other programs → runs: a plan, a journal, and what is known of the environment.
//!
//! Pure: bytes in, runs out. A fact that a source does not have stays unknown.

mod gzip;
pub mod iperf3;
mod names;
pub mod nptest;
mod run;

pub use gzip::{LARGEST_FILE_BYTES, unpack};
pub use run::ImportedRun;

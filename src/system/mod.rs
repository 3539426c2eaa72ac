//! What a process asks of its operating system.

#[cfg(unix)]
mod file_limit;
#[cfg(not(unix))]
#[path = "no_file_limit.rs"]
mod file_limit;
#[cfg(all(target_os = "linux", feature = "local"))]
pub mod netlink;
#[cfg(all(target_os = "linux", feature = "local"))]
pub mod receive;

pub use file_limit::{raise_file_limit, with_original_file_limit};

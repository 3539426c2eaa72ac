//! In the place of `file_limit` on systems that do not limit file descriptors.

/// Does nothing.
pub fn raise_file_limit() {}

/// Calls `start`.
pub fn with_original_file_limit<T>(start: impl FnOnce() -> T) -> T {
    start()
}

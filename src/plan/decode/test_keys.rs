//! The keys of a test beside its tool.

/// The keys of a timing, in `defaults:` and in tests.
pub const TIMING_KEYS: [&str; 6] = [
    "duration", "warmup", "cooldown", "timeout", "retries", "repeat",
];

/// The other keys of a test.
pub const TEST_KEYS: [&str; 5] = ["name", "label", "paths", "expect", "find"];

//! What a tool printed and how it ended, and the means to read it.

pub(in crate::tools) mod byte_counts;
pub(in crate::tools) mod document;
pub(in crate::tools) mod exit_failure;
pub(in crate::tools) mod process_end;
pub(in crate::tools) mod sample_time;
pub(in crate::tools) mod tool_text;

//! What exists, stated once: the built-in tools with their options, and the metrics.
//!
//! Plain data. The decoder, the schema, `explain`, the schedule and the reports read it.
//!
//! A new built-in tool takes a file here, a variant of [`BuiltIn`] and a line in `tool_list.rs`; and a
//! folder in `tools/` with a line in `tools/registry.rs`. `tests/it/tool_registry.rs` finds what is
//! missing.

mod better;
mod direction;
mod interval_output;
mod iperf3;
mod limits;
mod metric;
mod metric_table;
mod netperf;
mod option;
mod probe;
mod shared_parameter;
mod tool;
mod tool_list;
mod unit;

pub use better::Better;
pub use direction::Direction;
pub use interval_output::IntervalOutput;
pub use iperf3::IPERF3;
pub use limits::{DATAGRAM_BYTES, LARGEST_DATAGRAM_BYTES, MSS_BYTES, WORKER_CONTROL_PORTS};
pub use metric::Metric;
pub use metric_table::{
    BOTH_WAYS, Column, KnownMetric, METRICS, better, lowest_interval, name, reserved_metric,
};
pub use netperf::NETPERF;
pub use option::{Kind, Role, ToolOption};
pub use probe::PROBE;
pub use shared_parameter::{SHARED_PARAMETERS, SharedParameter, shared_parameter};
pub use tool::{
    BuiltIn, BuiltInTool, CsvDigits, Mode, OWN_PROGRAM, Program, Search, Theory, Transport,
    WarmupLimit,
};
pub use tool_list::{BUILT_IN_TOOLS, LOAD_TOOLS, built_in_tool};
pub use unit::Unit;

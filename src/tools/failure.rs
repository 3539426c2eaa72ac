//! Why there is no measurement.

use serde::{Deserialize, Serialize};

/// A sample or cell that has no measurement: the cause, and the tool's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: Cause,
    /// What the tool or the kernel said; one or a few lines.
    pub words: String,
}

/// Why. Each has one line for people in [`Cause::explain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The destination answered that nobody listens there.
    Refused,
    /// No answer to the connection attempt.
    ConnectTimeout,
    /// The kernel knows no way to the address.
    NoRoute,
    /// The sample took longer than its timeout.
    Timeout,
    /// The server was serving somebody else.
    ServerBusy,
    /// The server did not come up, or not in time.
    ServerFailed,
    /// The server went away during the sample.
    ServerTerminated,
    /// The control connection worked, the data connection did not.
    DataPortUnreachable,
    /// The kernel or the tool refused the MSS.
    MssRefused,
    /// The kernel or the tool refused the socket buffer.
    SocketBufferRefused,
    /// The kernel refused the congestion control.
    CongestionRefused,
    /// The tool refused another option.
    OptionRefused,
    /// The tool reported success and moved nothing.
    NothingMoved,
    /// The program is not on the worker.
    ToolMissing,
    /// The output is not what the tool prints.
    Unparsable,
    /// A signal ended the tool.
    Killed,
    /// The worker went away during the sample.
    WorkerLost,
    /// The tool failed in a way of its own.
    ToolError,
}

//! The causes of failures.

use serde::{Deserialize, Serialize};

/// Why there is no measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The destination answered that nobody listens there.
    Refused,
    /// No answer to the connection attempt.
    ConnectTimeout,
    /// The kernel knows no way to the address.
    NoRoute,
    /// The nodes did not know yet where the worker's Service leads.
    ServiceNotReady,
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
    /// The tool measured for much less than it was asked to.
    TooShort,
    /// The tool made a mistake for which the kernel ended it.
    Crashed,
    /// The worker went away during the sample.
    WorkerLost,
    /// A load of the test failed, or did not run around the whole sample.
    LoadFailed,
    /// Even the lowest rate that a search tries does not keep its condition.
    NoRateHolds,
    /// The datagram that opens a UDP stream, or the answer to it, did not arrive.
    FirstDatagramLost,
    /// The server's answer at the end of the test did not come.
    NoResponse,
    /// This version of the tool does not report what is needed.
    ToolTooOld,
    /// The tool reported an error and no reason.
    UnexplainedError,
    /// The tool's main figure cannot be.
    ImpossibleFigure,
    /// The tool reported more payload than the network interfaces carried.
    Contradicted,
    /// The tool failed in a way of its own.
    ToolError,
    /// An imported result says that it failed, by what it has instead of a figure; the text is exactly that.
    RecordedAsFailure,
}

/// Whose text a failure carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Sentences of netplan, which say so where they quote a tool.
    Netplan,
    /// The tool's own, to be quoted.
    Tool,
}

/// Each fact about a cause.
#[derive(Clone, Copy, Debug)]
struct Facts {
    name: &'static str,
    title: &'static str,
    advice: &'static str,
    speaker: Speaker,
}

/// A cause whose text is netplan's.
const fn netplan(name: &'static str, title: &'static str, advice: &'static str) -> Facts {
    Facts {
        name,
        title,
        advice,
        speaker: Speaker::Netplan,
    }
}

/// A cause whose text is the tool's.
const fn tool(name: &'static str, title: &'static str, advice: &'static str) -> Facts {
    Facts {
        speaker: Speaker::Tool,
        ..netplan(name, title, advice)
    }
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 30] = [
        Self::Refused,
        Self::ConnectTimeout,
        Self::NoRoute,
        Self::ServiceNotReady,
        Self::Timeout,
        Self::ServerBusy,
        Self::ServerFailed,
        Self::ServerTerminated,
        Self::DataPortUnreachable,
        Self::MssRefused,
        Self::SocketBufferRefused,
        Self::CongestionRefused,
        Self::OptionRefused,
        Self::NothingMoved,
        Self::ToolMissing,
        Self::Unparsable,
        Self::Killed,
        Self::TooShort,
        Self::Crashed,
        Self::WorkerLost,
        Self::LoadFailed,
        Self::NoRateHolds,
        Self::FirstDatagramLost,
        Self::NoResponse,
        Self::ToolTooOld,
        Self::UnexplainedError,
        Self::ImpossibleFigure,
        Self::Contradicted,
        Self::ToolError,
        Self::RecordedAsFailure,
    ];

    /// As events, `samples.csv` and JSON write it: `connect_timeout`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whose text a failure of this cause carries.
    #[must_use]
    pub const fn speaker(self) -> Speaker {
        self.facts().speaker
    }

    /// What the cause means and what to do, in one line.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        self.facts().advice
    }

    const fn facts(self) -> Facts {
        match self {
            Self::Refused => tool(
                "refused",
                "connection refused",
                "nobody listens on the tool's port at that address: check that the server \
                 started, and that its Service has the worker as its endpoint",
            ),
            Self::ConnectTimeout => tool(
                "connect_timeout",
                "connect timeout",
                "the connection attempt got no answer: look for a network policy or firewall \
                 that drops the tool's port",
            ),
            Self::NoRoute => tool(
                "no_route",
                "no route",
                "the client's node has no route to the address, or lost it: check the node's \
                 routes and the network plugin",
            ),
            Self::ServiceNotReady => tool(
                "service_not_ready",
                "service not ready",
                "the nodes did not know yet where the worker's Service leads, which happens \
                 in the first seconds of a pod: the sample is tried again",
            ),
            Self::Timeout => netplan(
                "timeout",
                "timeout",
                "the tool was still running at the sample's deadline and was killed: raise \
                 `timeout` if the sample really needs longer",
            ),
            Self::ServerBusy => tool(
                "server_busy",
                "server busy",
                "the server was serving another client: let nothing but this run use the \
                 workers",
            ),
            Self::ServerFailed => netplan(
                "server_failed",
                "server failed",
                "the server did not start listening: its own words say why; a port in use is \
                 the usual reason",
            ),
            Self::ServerTerminated => tool(
                "server_terminated",
                "server terminated",
                "the server or the route to it was lost during the sample: look for a \
                 restarted pod, an out-of-memory kill or a link that went down",
            ),
            Self::DataPortUnreachable => tool(
                "data_port_unreachable",
                "data port unreachable",
                "the control connection worked and the data connection did not: the Service \
                 and any network policy must let the tool's data ports pass, TCP and UDP",
            ),
            Self::MssRefused => tool(
                "mss_refused",
                "MSS refused",
                "the kernel or the tool refused the MSS: Linux takes 88 and more, iperf3 3.12 \
                 up to 9216",
            ),
            Self::SocketBufferRefused => tool(
                "socket_buffer_refused",
                "socket buffer refused",
                "the kernel allows no socket buffer of that size: lower `window`, or raise \
                 `net.core.rmem_max` and `net.core.wmem_max` on both nodes",
            ),
            Self::CongestionRefused => tool(
                "congestion_refused",
                "congestion control refused",
                "the client's kernel does not offer that congestion control: see \
                 `net.ipv4.tcp_available_congestion_control`",
            ),
            Self::OptionRefused => tool(
                "option_refused",
                "option refused",
                "this version of the tool does not take one of the options: its own words \
                 name it",
            ),
            Self::NothingMoved => netplan(
                "nothing_moved",
                "nothing moved",
                "the tool reported success, and not one byte arrived: look for what drops the \
                 traffic on the way, such as a firewall or an MTU too small for the datagrams",
            ),
            Self::ToolMissing => netplan(
                "tool_missing",
                "tool missing",
                "the program is not on the worker: install it, or use an image that has it",
            ),
            Self::Unparsable => netplan(
                "unparsable",
                "unparsable output",
                "the output is not what this tool prints: is another program or version \
                 behind its name?",
            ),
            Self::Killed => netplan(
                "killed",
                "killed",
                "a signal ended the tool before it had measured: look for an out-of-memory \
                 kill, or for a run that was cancelled",
            ),
            Self::TooShort => netplan(
                "too_short",
                "measured too briefly",
                "the warm-up ended late, as it does on an overloaded machine: raise `duration`, use \
                 fewer streams, or let nothing else run on the nodes",
            ),
            Self::Crashed => netplan(
                "crashed",
                "crashed",
                "the tool crashed: it has a fault, or its installation lacks something; try \
                 another version of it",
            ),
            Self::WorkerLost => netplan(
                "worker_lost",
                "worker lost",
                "the worker's connection was lost during the sample: look at its pod's events",
            ),
            Self::LoadFailed => netplan(
                "load_failed",
                "load failed",
                "the traffic around the sample failed, or did not last for all of it: see its own words; on an \
                 overloaded machine let nothing else run, or raise `retries`",
            ),
            Self::NoRateHolds => netplan(
                "no_rate_holds",
                "no rate holds",
                "the search found no rate that keeps the condition: lower its `from`, or see \
                 by the samples what disturbs the path",
            ),
            Self::FirstDatagramLost => netplan(
                "first_datagram_lost",
                "first datagram lost",
                "the datagram that opens a UDP stream, or the answer to it, did not arrive: \
                 on a path that loses datagrams, raise `retries` or use fewer streams; where \
                 no datagram arrives at all, the tool's UDP port is closed on the way",
            ),
            Self::NoResponse => tool(
                "no_response",
                "no response",
                "the server gave no answer over the control connection: it crashed or hangs, \
                 or something on the way cut an idle connection; look at the server's pod and \
                 at idle timeouts",
            ),
            Self::ToolTooOld => netplan(
                "tool_too_old",
                "tool too old",
                "this version of the tool does not report what is needed: install a newer one \
                 on both workers, or use an image that has it",
            ),
            Self::UnexplainedError => netplan(
                "unexplained_error",
                "unexplained error",
                "the tool reported an error and no reason: run its command by hand on the \
                 worker, and look at the other end's pod",
            ),
            Self::ImpossibleFigure => netplan(
                "impossible_figure",
                "impossible figure",
                "the tool reported a main figure that cannot be, such as one of a counter \
                 that overflowed: use another version of the tool or a shorter `duration`",
            ),
            Self::Contradicted => netplan(
                "contradicted",
                "contradicted",
                "the tool reported more payload than all network interfaces carried, so it \
                 did not measure this path: check which program is behind its name",
            ),
            Self::ToolError => tool(
                "tool_error",
                "tool error",
                "the tool failed in a way of its own: its words are all that is known",
            ),
            Self::RecordedAsFailure => netplan(
                "recorded_as_failure",
                "recorded as a failure",
                "the imported results have this instead of a figure and say no more: measure \
                 the cell again",
            ),
        }
    }
}

/// The cause in a few words, for tables: `connection refused`.
impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.facts().title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_one_name_everywhere() {
        for (at, cause) in Cause::ALL.into_iter().enumerate() {
            let written = serde_json::to_value(cause).unwrap();
            assert_eq!(written, cause.name());
            assert_eq!(cause as usize, at, "{cause} is missing, or twice");
        }
    }
}

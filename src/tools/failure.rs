//! Why there is no measurement.

use serde::{Deserialize, Serialize};

/// A sample or cell that has no measurement: the cause, and words on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: Cause,
    /// What the tool or the kernel said, or netplan of it: one or a few lines. See
    /// [`Failure::in_words`].
    pub words: String,
}

/// Whose words there are on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Sentences of netplan, which say so where they quote a tool.
    Netplan,
    /// The tool's own, to be quoted.
    Tool,
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
    /// The tool made a mistake for which the kernel ended it.
    Crashed,
    /// The worker went away during the sample.
    WorkerLost,
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
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 27] = [
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
        Self::Crashed,
        Self::WorkerLost,
        Self::NoRateHolds,
        Self::FirstDatagramLost,
        Self::NoResponse,
        Self::ToolTooOld,
        Self::UnexplainedError,
        Self::ImpossibleFigure,
        Self::Contradicted,
        Self::ToolError,
    ];

    /// As events, `samples.csv` and JSON write it: `connect_timeout`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::NoRoute => "no_route",
            Self::ServiceNotReady => "service_not_ready",
            Self::Timeout => "timeout",
            Self::ServerBusy => "server_busy",
            Self::ServerFailed => "server_failed",
            Self::ServerTerminated => "server_terminated",
            Self::DataPortUnreachable => "data_port_unreachable",
            Self::MssRefused => "mss_refused",
            Self::SocketBufferRefused => "socket_buffer_refused",
            Self::CongestionRefused => "congestion_refused",
            Self::OptionRefused => "option_refused",
            Self::NothingMoved => "nothing_moved",
            Self::ToolMissing => "tool_missing",
            Self::Unparsable => "unparsable",
            Self::Killed => "killed",
            Self::Crashed => "crashed",
            Self::WorkerLost => "worker_lost",
            Self::NoRateHolds => "no_rate_holds",
            Self::FirstDatagramLost => "first_datagram_lost",
            Self::NoResponse => "no_response",
            Self::ToolTooOld => "tool_too_old",
            Self::UnexplainedError => "unexplained_error",
            Self::ImpossibleFigure => "impossible_figure",
            Self::Contradicted => "contradicted",
            Self::ToolError => "tool_error",
        }
    }

    /// Whose words a failure of this cause carries.
    #[must_use]
    pub fn speaker(self) -> Speaker {
        match self {
            Self::Timeout
            | Self::ServerFailed
            | Self::NothingMoved
            | Self::ToolMissing
            | Self::Unparsable
            | Self::Killed
            | Self::Crashed
            | Self::WorkerLost
            | Self::NoRateHolds
            | Self::FirstDatagramLost
            | Self::ToolTooOld
            | Self::UnexplainedError
            | Self::ImpossibleFigure
            | Self::Contradicted => Speaker::Netplan,
            Self::Refused
            | Self::ConnectTimeout
            | Self::NoRoute
            | Self::ServiceNotReady
            | Self::ServerBusy
            | Self::ServerTerminated
            | Self::DataPortUnreachable
            | Self::MssRefused
            | Self::SocketBufferRefused
            | Self::CongestionRefused
            | Self::OptionRefused
            | Self::NoResponse
            | Self::ToolError => Speaker::Tool,
        }
    }

    /// What the cause means and how to go on, in one line.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::Refused => {
                "nobody listens on the tool's port at that address: check that the server started, \
                 and that its Service has the worker as its endpoint"
            }
            Self::ConnectTimeout => {
                "the connection attempt got no answer: look for a network policy or firewall that \
                 drops the tool's port"
            }
            Self::NoRoute => {
                "the client's node knows no way to the address, or the way was lost: check the \
                 node's routes and the network plugin"
            }
            Self::ServiceNotReady => {
                "the nodes did not know yet where the worker's Service leads, as in the first \
                 seconds of a pod: it is tried again"
            }
            Self::Timeout => {
                "the tool was still running at the sample's deadline and was killed: raise \
                 `timeout` if the sample really needs longer"
            }
            Self::ServerBusy => {
                "the server was serving another client: let nothing but this run use the workers"
            }
            Self::ServerFailed => {
                "the server did not start listening: its own words say why; a port in use is the \
                 usual reason"
            }
            Self::ServerTerminated => {
                "the server or the way to it was lost during the sample: look for a restarted pod, \
                 an out-of-memory kill or a link that went down"
            }
            Self::DataPortUnreachable => {
                "the control connection worked and the data connection did not: the Service and \
                 any network policy must let the tool's data ports pass, TCP and UDP"
            }
            Self::MssRefused => {
                "the kernel or the tool refused the MSS: Linux takes 88 and more, iperf3 3.12 up \
                 to 9216"
            }
            Self::SocketBufferRefused => {
                "the kernel allows no socket buffer of that size: lower `window`, or raise \
                 `net.core.rmem_max` and `net.core.wmem_max` on both nodes"
            }
            Self::CongestionRefused => {
                "the client's kernel does not offer that congestion control: see \
                 `net.ipv4.tcp_available_congestion_control`"
            }
            Self::OptionRefused => {
                "this version of the tool does not take one of the options: its own words name it"
            }
            Self::NothingMoved => {
                "the tool reported success, and not one byte arrived: look for what drops the traffic on \
                 the way, such as a firewall or an MTU too small for the datagrams"
            }
            Self::ToolMissing => {
                "the program is not on the worker: install it, or use an image \
                 that has it"
            }
            Self::Unparsable => {
                "the output is not what this tool prints: is another program or version behind \
                 its name?"
            }
            Self::Killed => {
                "a signal ended the tool before it had measured: look for an out-of-memory kill, \
                 or for a run that was cancelled"
            }
            Self::Crashed => {
                "the tool crashed: it has a fault, or its installation lacks something; try another \
                 version of it"
            }
            Self::NoRateHolds => {
                "the search found no rate that keeps the condition: lower its `from`, or see by \
                 the samples what disturbs the path"
            }
            Self::WorkerLost => {
                "the worker's connection was lost during the sample: look at its pod's events"
            }
            Self::FirstDatagramLost => {
                "the datagram that opens a UDP stream, or the answer to it, did not arrive: on a path that \
                 loses datagrams, raise `retries` or use fewer streams; where no datagram arrives at \
                 all, the tool's UDP port is closed on the way"
            }
            Self::NoResponse => {
                "the server gave no answer over the control connection: it crashed or hangs, or something \
                 on the way cut an idle connection; look at the server's pod and at idle timeouts"
            }
            Self::ToolTooOld => {
                "this version of the tool does not report what is needed: install a newer one on both \
                 workers, or use an image that has it"
            }
            Self::UnexplainedError => {
                "the tool reported an error and no reason: run its command by hand on the worker, and look \
                 at the other end's pod"
            }
            Self::ImpossibleFigure => {
                "the tool reported a main figure that cannot be, such as one of a counter that overflowed: \
                 use another version of the tool or a shorter `duration`"
            }
            Self::Contradicted => {
                "the tool reported more payload than all network interfaces carried, so it did not measure \
                 this path: check which program is behind its name"
            }
            Self::ToolError => "the tool failed in a way of its own: its words are all there is",
        }
    }
}

/// The cause in a few words, as tables have it: `connection refused`.
impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::ConnectTimeout => "connect timeout",
            Self::NoRoute => "no route",
            Self::ServiceNotReady => "service not ready",
            Self::Timeout => "timeout",
            Self::ServerBusy => "server busy",
            Self::ServerFailed => "server failed",
            Self::ServerTerminated => "server terminated",
            Self::DataPortUnreachable => "data port unreachable",
            Self::MssRefused => "MSS refused",
            Self::SocketBufferRefused => "socket buffer refused",
            Self::CongestionRefused => "congestion control refused",
            Self::OptionRefused => "option refused",
            Self::NothingMoved => "nothing moved",
            Self::ToolMissing => "tool missing",
            Self::Unparsable => "unparsable output",
            Self::Killed => "killed",
            Self::Crashed => "crashed",
            Self::WorkerLost => "worker lost",
            Self::NoRateHolds => "no rate holds",
            Self::FirstDatagramLost => "first datagram lost",
            Self::NoResponse => "no response",
            Self::ToolTooOld => "tool too old",
            Self::UnexplainedError => "unexplained error",
            Self::ImpossibleFigure => "impossible figure",
            Self::Contradicted => "contradicted",
            Self::ToolError => "tool error",
        })
    }
}

/// `connection refused: unable to connect to server: Connection refused`.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.cause)?;
        if self.words.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.words)
    }
}

impl Failure {
    /// A failure with words of netplan's, or of the tool where the cause says that they are; cut to
    /// what a person reads.
    #[must_use]
    pub fn new(cause: Cause, words: &str) -> Self {
        Self {
            cause,
            words: super::words::trimmed(words),
        }
    }

    /// A failure with words that are the tool's own, whatever its cause.
    #[must_use]
    pub fn said(tool: &str, cause: Cause, words: &str) -> Self {
        match cause.speaker() {
            Speaker::Netplan if !words.is_empty() => {
                Self::new(cause, &format!("{tool} said: {words}"))
            }
            Speaker::Netplan | Speaker::Tool => Self::new(cause, words),
        }
    }

    /// The words, as a quotation where they are those of this tool: `iperf3 said: “…”`. Empty when
    /// there are none.
    #[must_use]
    pub fn in_words(&self, tool: &str) -> String {
        if self.words.is_empty() || self.speaker(tool) == Speaker::Netplan {
            self.words.clone()
        } else {
            format!("{tool} said: “{}”", self.words)
        }
    }

    /// Cause and words on one line: `connection refused: iperf3 said: “unable to connect”`.
    #[must_use]
    pub fn sentence(&self, tool: &str) -> String {
        let words = self.in_words(tool);
        if words.is_empty() {
            self.cause.to_string()
        } else {
            format!("{}: {words}", self.cause)
        }
    }

    /// Where the tool had no word to say, a sentence of netplan stands for it, which begins with what
    /// it is about: `iperf3 exited with 1`, or a worker.
    fn speaker(&self, tool: &str) -> Speaker {
        let behind = self.words.strip_prefix(tool).unwrap_or_default();
        if behind.starts_with([' ', '\'']) || self.words.starts_with("worker `") {
            Speaker::Netplan
        } else {
            self.cause.speaker()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_one_name_everywhere() {
        for cause in Cause::ALL {
            let written = serde_json::to_value(cause).unwrap();
            assert_eq!(written, cause.name());
        }
    }

    #[test]
    fn only_a_tools_own_words_are_quoted() {
        for (cause, words, shown) in [
            (Cause::Refused, "no luck", "iperf3 said: “no luck”"),
            (
                Cause::ToolError,
                "iperf3: no luck",
                "iperf3 said: “iperf3: no luck”",
            ),
            (
                Cause::ToolError,
                "iperf3 exited with 1, without a word",
                "iperf3 exited with 1, without a word",
            ),
            (
                Cause::NoRoute,
                "worker `w` has no cluster IP",
                "worker `w` has no cluster IP",
            ),
            (Cause::WorkerLost, "it left", "it left"),
            (Cause::Refused, "", ""),
        ] {
            assert_eq!(Failure::new(cause, words).in_words("iperf3"), shown);
        }
        let killed = Failure::said("iperf3", Cause::Killed, "interrupt");
        assert_eq!(killed.sentence("iperf3"), "killed: iperf3 said: interrupt");
        assert_eq!(Failure::new(Cause::Killed, "").sentence("iperf3"), "killed");
    }
}

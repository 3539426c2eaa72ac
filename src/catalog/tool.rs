//! What a built-in tool is: plain data.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{IntervalOutput, LARGEST_DATAGRAM_BYTES, Role, ToolOption, lowest_interval, name};

/// Which built-in tool it is, for the registry of implementations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    Iperf3,
    Netperf,
    Probe,
}

/// A built-in tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltInTool {
    pub id: BuiltIn,
    /// Its key in plans, and the name by which it is known: `iperf3`.
    pub name: &'static str,
    /// What it measures, in a sentence.
    pub text: &'static str,
    /// What has to be installed on both ends.
    pub programs: &'static [Program<'static>],
    /// What else there is to know about their packages. Empty for nothing.
    pub package_note: &'static str,
    /// The option that chooses the mode; `None` for a tool with one mode.
    pub mode_key: Option<&'static str>,
    /// What the choice means, without the default: a clause without a full stop.
    pub mode_text: &'static str,
    /// What it can measure; the first mode is the default.
    pub modes: &'static [Mode],
    /// Its options beside the mode, in the order in which plans are written.
    pub options: &'static [ToolOption],
    /// Whether its client warms up by itself; else a warm-up is an invocation of its own.
    pub warms_up: bool,
    /// The longest warm-up; `None` for no limit.
    pub warmup_limit: Option<WarmupLimit>,
    /// What its CPU figures are a share of.
    pub cpu_text: &'static str,
    pub csv_digits: CsvDigits,
    /// Where it [reports intervals](Self::reports_intervals).
    pub interval_output: IntervalOutput,
}

/// One kind of measurement of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// As plans write it: `udp`, `TCP_RR`. Empty for the only mode of a tool.
    pub word: &'static str,
    /// What it measures, in a sentence.
    pub text: &'static str,
    /// nptest's label for it in `result.csv`.
    pub csv_label: &'static str,
    pub transport: Transport,
    /// What it measures by the journal's names, in groups, as far as the kernels tell it. The first is the
    /// headline: the figure of a cell in tables and in `result.csv`.
    pub metrics: &'static [&'static [&'static str]],
    /// What an invocation takes beyond the time that it is told to measure.
    pub overhead: Duration,
    /// What to write instead of another mode's [`Role::Size`].
    pub size_help: &'static str,
    /// What a report says where `rate` is not set. Empty for nothing.
    pub without_rate: &'static str,
    pub search: Search,
    pub theory: Option<Theory>,
}

/// Whether `find` can search for the highest rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// By the option `rate`.
    ByRate,
    /// It cannot.
    Never {
        why: &'static str,
        help: &'static str,
    },
}

/// What theory predicts of a cell from its link, for `selftest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theory {
    /// TCP fills the link's rate.
    Goodput,
    /// Datagrams are lost as the link loses them, and else arrive at the rate at which they are sent.
    Loss,
    /// A round trip takes twice the link's delay.
    RoundTrip,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    /// `tcp` or `udp`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        }
    }
}

/// The name of this program among the programs of tools. It is never looked for on the `PATH`.
pub const OWN_PROGRAM: &str = "netplan";

/// A program, and the Debian and Ubuntu package that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    pub name: &'a str,
    /// Empty when the package is not known, or the program is this one.
    pub package: &'a str,
}

/// A limit of a tool on warm-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmupLimit {
    pub longest: Duration,
    /// Whose limit it is, before the limit: `iperf3 3.12 leaves out at most`.
    pub why: &'static str,
    /// The option that has it: `--omit`.
    pub option: &'static str,
}

/// How many digits `result.csv` shows of a tool's headline figure, as the tool itself prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvDigits {
    /// Three significant digits, and all before the point.
    Three,
    /// Two decimals.
    TwoDecimals,
}

impl BuiltInTool {
    /// The mode of a test that does not choose one.
    #[must_use]
    pub const fn default_mode(&self) -> &'static Mode {
        &self.modes[0]
    }

    /// The mode that plans write so.
    #[must_use]
    pub fn mode(&self, word: &str) -> Option<&'static Mode> {
        self.modes.iter().find(|mode| mode.word == word)
    }

    /// What messages and reports call a test of a mode: `iperf3 UDP`.
    #[must_use]
    pub fn title(&self, mode: &Mode) -> String {
        let title = format!("{} {}", self.name, mode.word.to_uppercase());
        title.trim_end().to_owned()
    }

    /// The name of a test of a mode that gives none, a DNS label: `iperf3-udp`.
    #[must_use]
    pub fn test_name(&self, mode: &Mode) -> String {
        let name = format!("{}-{}", self.name, mode.word.to_lowercase());
        name.trim_end_matches('-').replace('_', "-")
    }

    /// Whether it reports intervals within a sample. Of streams netperf reports what it sends in an interval, which says
    /// little about what arrives.
    #[must_use]
    pub fn reports_intervals(&self, mode: &Mode) -> bool {
        !matches!(
            (self.id, mode.headline()),
            (BuiltIn::Netperf, name::THROUGHPUT_BPS) | (BuiltIn::Probe, name::MTU_FORWARD_BYTES)
        )
    }

    /// The metric of the lowest interval within a sample, by the journal's name, where the tool reports intervals whose
    /// lowest one is a metric.
    #[must_use]
    pub fn lowest_interval(&self, mode: &Mode) -> Option<&'static str> {
        lowest_interval(mode.headline()).filter(|_| self.reports_intervals(mode))
    }

    /// The option of this name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'static ToolOption> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The keys of its options, with that of the mode.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        let options = self.options.iter().map(|option| option.name);
        self.mode_key.into_iter().chain(options)
    }
}

impl Mode {
    /// The headline metric, by the journal's name.
    #[must_use]
    pub const fn headline(&self) -> &'static str {
        self.metrics[0][0]
    }

    /// What it measures, by the journal's names.
    pub fn metric_names(&self) -> impl Iterator<Item = &'static str> {
        self.metrics.iter().copied().flatten().copied()
    }
}

impl ToolOption {
    /// Whether tests of this mode may set it.
    #[must_use]
    pub fn is_for(&self, mode: &Mode) -> bool {
        self.modes.is_empty() || self.modes.contains(&mode.word)
    }

    /// The allowed values in this mode, in the unit of its kind.
    #[must_use]
    pub fn limits_in(&self, mode: &Mode) -> RangeInclusive<u64> {
        let (least, most) = (*self.limits.start(), *self.limits.end());
        match (self.role, mode.transport) {
            (Role::Message, Transport::Udp) => least..=most.min(LARGEST_DATAGRAM_BYTES),
            _ => least..=most,
        }
    }
}

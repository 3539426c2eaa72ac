//! The tool of a test and its options.

use std::time::Duration;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::catalog::{
    BOTH_WAYS, BuiltInTool, Direction, Kind, Metric, Mode, Transport, built_in_tool,
};
use crate::plan::model::sweep::Sweep;
use crate::plan::model::tools::declared::DeclaredUse;
use crate::plan::model::units::{BitRate, Bytes, Duration as Time};

/// The tool of a test. A choice is a key: `iperf3: {…}`, `netperf: {…}`, or a name from `tools:`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ToolSpec {
    BuiltIn(BuiltInUse),
    Declared(DeclaredUse),
}

/// A built-in tool in a test, with its options.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltInUse {
    pub tool: &'static BuiltInTool,
    pub mode: &'static Mode,
    /// Those that the test sets or that have a default, by name.
    pub options: IndexMap<&'static str, OptionValue>,
}

/// The value of an option of a built-in tool.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// Numbers, in the unit of the option: plain, bytes, or bits per second; of a direction its number.
    Numbers(Sweep<u64>),
    Name(String),
    Flag(bool),
}

impl From<Sweep<u64>> for OptionValue {
    fn from(values: Sweep<u64>) -> Self {
        OptionValue::Numbers(values)
    }
}

impl From<u64> for OptionValue {
    fn from(value: u64) -> Self {
        OptionValue::Numbers(Sweep::One(value))
    }
}

impl BuiltInUse {
    /// The tool of this name in this mode, with the default of each option; `None` when there is no
    /// such tool or mode.
    #[must_use]
    pub fn new(tool: &str, mode: &str) -> Option<Self> {
        let tool = built_in_tool(tool)?;
        Some(Self::with_defaults(tool, tool.mode(mode)?))
    }

    /// The tool in this mode, with the default of each option.
    #[must_use]
    pub fn with_defaults(tool: &'static BuiltInTool, mode: &'static Mode) -> Self {
        let default = |option: &'static crate::catalog::ToolOption| {
            let value = match option.kind {
                Kind::Flag => OptionValue::Flag(false),
                _ if option.is_for(mode) => option.default?.into(),
                _ => return None,
            };
            Some((option.name, value))
        };
        BuiltInUse {
            tool,
            mode,
            options: tool.options.iter().filter_map(default).collect(),
        }
    }

    /// The same with this value for an option. The name of another tool's option changes nothing.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl Into<OptionValue>) -> Self {
        if let Some(option) = self.tool.option(option) {
            self.options.insert(option.name, value.into());
        }
        self
    }

    /// The values of an option that is a number.
    #[must_use]
    pub fn numbers(&self, option: &str) -> Option<&Sweep<u64>> {
        match self.options.get(option)? {
            OptionValue::Numbers(values) => Some(values),
            OptionValue::Name(_) | OptionValue::Flag(_) => None,
        }
    }

    /// The value of an option that is a name.
    #[must_use]
    pub fn name_of(&self, option: &str) -> Option<&str> {
        match self.options.get(option)? {
            OptionValue::Name(name) => Some(name),
            OptionValue::Numbers(_) | OptionValue::Flag(_) => None,
        }
    }

    /// Whether some of its cells measure both directions at once.
    #[must_use]
    pub fn measures_both_ways(&self) -> bool {
        let directions = self
            .numbers("direction")
            .into_iter()
            .flat_map(Sweep::values);
        directions
            .into_iter()
            .any(|number| number == Direction::Both.number())
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn is_set(&self, flag: &str) -> bool {
        self.options.get(flag) == Some(&OptionValue::Flag(true))
    }

    /// Writes the options that are taken, in the order of the catalogue, as the plan writes them.
    pub(in crate::plan) fn write_options<M: SerializeMap>(
        &self,
        map: &mut M,
        is_taken: impl Fn(&str) -> bool,
    ) -> Result<(), M::Error> {
        for option in self
            .tool
            .options
            .iter()
            .filter(|option| is_taken(option.name))
        {
            match (self.options.get(option.name), option.kind) {
                (None, _) => {}
                (Some(OptionValue::Numbers(values)), Kind::Bytes) => {
                    map.serialize_entry(option.name, &values.map(Bytes))?;
                }
                (Some(OptionValue::Numbers(values)), Kind::BitRate) => {
                    map.serialize_entry(option.name, &values.map(BitRate))?;
                }
                (Some(OptionValue::Numbers(values)), Kind::Direction) => {
                    let words = values
                        .map(|value| Direction::from_number(value).unwrap_or_default().word());
                    map.serialize_entry(option.name, &words)?;
                }
                (Some(OptionValue::Numbers(values)), Kind::Duration) => {
                    map.serialize_entry(option.name, &values.map(Time::from_micros))?;
                }
                (Some(OptionValue::Numbers(values)), _) => {
                    map.serialize_entry(option.name, values)?;
                }
                (Some(OptionValue::Name(name)), _) => map.serialize_entry(option.name, name)?,
                (Some(OptionValue::Flag(flag)), _) => map.serialize_entry(option.name, flag)?,
            }
        }
        Ok(())
    }
}

/// As the plan writes it: `{ iperf3: { protocol: tcp, streams: 1 } }`.
impl Serialize for BuiltInUse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.tool.name, &Options(self))?;
        map.end()
    }
}

/// The options of a built-in tool, in the order of the catalogue.
struct Options<'a>(&'a BuiltInUse);

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let used = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(key) = used.tool.mode_key {
            map.serialize_entry(key, used.mode.word)?;
        }
        used.write_options(&mut map, |_| true)?;
        map.end()
    }
}

impl ToolSpec {
    /// The tool's name: its key in the test.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            ToolSpec::BuiltIn(used) => used.tool.name,
            ToolSpec::Declared(used) => &used.tool.name,
        }
    }

    /// The values of a parameter, where the test sets it or it has a default.
    #[must_use]
    pub fn values(&self, parameter: &str) -> Option<&Sweep<u64>> {
        match self {
            ToolSpec::BuiltIn(used) => used.numbers(parameter),
            ToolSpec::Declared(used) => used.values.get(parameter),
        }
    }

    /// What a sample of this tool measures, as far as the kernels of both ends tell it.
    #[must_use]
    pub fn measures(&self) -> Vec<Metric> {
        match self {
            ToolSpec::BuiltIn(used) => {
                let names = used.mode.metric_names();
                let both = used.measures_both_ways();
                let names = names.filter(|name| both || !BOTH_WAYS.contains(name));
                names.filter_map(Metric::from_name).collect()
            }
            ToolSpec::Declared(used) => used.tool.all_metrics().collect(),
        }
    }

    /// The same of a test, which may record the intervals of its samples.
    #[must_use]
    pub fn measures_in_test(&self, has_intervals: bool) -> Vec<Metric> {
        let mut metrics = self.measures();
        if has_intervals {
            metrics.extend(self.lowest_interval().and_then(Metric::from_name));
        }
        metrics
    }

    /// Whether it reports intervals within a sample.
    #[must_use]
    pub fn reports_intervals(&self) -> bool {
        match self {
            ToolSpec::BuiltIn(used) => used.tool.reports_intervals(used.mode),
            ToolSpec::Declared(_) => false,
        }
    }

    /// The metric of the lowest interval within a sample, as the journal writes it; `None` for a tool without one.
    #[must_use]
    pub fn lowest_interval(&self) -> Option<&'static str> {
        match self {
            ToolSpec::BuiltIn(used) => used.tool.lowest_interval(used.mode),
            ToolSpec::Declared(_) => None,
        }
    }

    /// The headline metric, as the journal writes it.
    #[must_use]
    pub fn headline(&self) -> String {
        match self {
            ToolSpec::BuiltIn(used) => used.mode.headline().to_owned(),
            ToolSpec::Declared(used) => used.tool.headline_metric(),
        }
    }

    /// The transport protocol; `None` for a declared tool, whose command lines choose it.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        match self {
            ToolSpec::BuiltIn(used) => Some(used.mode.transport),
            ToolSpec::Declared(_) => None,
        }
    }

    /// The name of a test of this tool that gives none.
    #[must_use]
    pub fn default_test_name(&self) -> String {
        match self {
            ToolSpec::BuiltIn(used) => used.tool.test_name(used.mode),
            ToolSpec::Declared(used) => used.tool.name.clone(),
        }
    }

    /// The label in `result.csv` of a test of this tool that gives none.
    #[must_use]
    pub fn default_label(&self) -> String {
        match self {
            ToolSpec::BuiltIn(used) => used.mode.csv_label.to_owned(),
            ToolSpec::Declared(used) => format!("{}.", used.tool.name),
        }
    }

    /// What an invocation takes beyond the time that it is told to measure.
    #[must_use]
    pub fn overhead(&self) -> Duration {
        match self {
            ToolSpec::BuiltIn(used) => used.mode.overhead,
            ToolSpec::Declared(used) => used.tool.overhead.0,
        }
    }

    /// Whether its client warms up by itself; else a warm-up is an invocation of its own.
    #[must_use]
    pub fn has_warmup(&self) -> bool {
        match self {
            ToolSpec::BuiltIn(used) => used.tool.warms_up,
            ToolSpec::Declared(used) => used.tool.client.warms_up,
        }
    }
}

//! Names of tools and metrics, and descriptions of tests, for people.

use crate::catalog::{Kind, Transport, Unit};
use crate::plan::sweep::Sweep;
use crate::plan::units::Duration;
use crate::plan::{ToolSpec, Via};
use crate::schedule::Param;
use crate::tools::name;

/// Whether a metric is in bits a second.
#[must_use]
pub fn is_rate(metric: &str) -> bool {
    let (.., unit) = Unit::split_name(metric);
    unit == Unit::BitsPerSecond
}

/// The unit that a metric's name carries, for people.
#[must_use]
pub fn unit_of(metric: &str) -> &'static str {
    let (.., unit) = Unit::split_name(metric);
    unit.symbol()
}

/// A metric's name without its unit: `latency p99` of `latency_us.p99`.
#[must_use]
pub fn short(metric: &str) -> String {
    let (head, rest, _) = Unit::split_name(metric);
    format!("{head}{}", rest.replacen('.', " ", 1)).replace('_', " ")
}

/// What a test does: `iperf3 TCP, 8 streams`. `searches` says that `find` sets its rate.
pub fn describe(tool: &ToolSpec, searches: bool) -> String {
    match tool {
        ToolSpec::BuiltIn(used) => {
            let values = used.tool.options.iter().filter_map(|option| {
                let Some(Sweep::One(value)) = used.numbers(option.name) else {
                    return None;
                };
                // That there is one stream goes without saying.
                let is_obvious = *value == 1 && option.default == Some(1);
                let is_said = !option.phrase.is_empty() && !is_obvious;
                let value = match option.kind {
                    Kind::Duration => Duration::from_micros(*value).to_string(),
                    _ => Param::named(option.name).value_text(*value),
                };
                is_said.then(|| option.phrase.replace("{}", &value))
            });
            let has_rate = searches || used.options.contains_key("rate");
            let without_rate =
                Some(used.mode.without_rate).filter(|text| !has_rate && !text.is_empty());
            let mut parts = vec![used.tool.title(used.mode)];
            parts.extend(values);
            parts.extend(without_rate.map(str::to_owned));
            parts.join(", ")
        }
        ToolSpec::Declared(used) => {
            let values = used
                .values
                .iter()
                .filter_map(|(name, values)| match values {
                    Sweep::One(value) => {
                        Some(format!("{name} {}", Param::named(name).value_text(*value)))
                    }
                    _ => None,
                });
            let parts: Vec<String> = [used.tool.name.clone()].into_iter().chain(values).collect();
            parts.join(", ")
        }
    }
}

/// What the tool's CPU figures are a share of.
#[must_use]
pub fn cpu_of(tool: &ToolSpec) -> &'static str {
    match tool {
        ToolSpec::BuiltIn(used) => used.tool.cpu_text,
        ToolSpec::Declared(_) => "CPU as the tool says it",
    }
}

/// Whether tables show a metric of the tool beside its headline. The packets of TCP repeat what rate and MSS say.
#[must_use]
pub fn has_table(tool: &ToolSpec, metric: &str) -> bool {
    metric != name::PACKETS_PER_S || tool.transport() != Some(Transport::Tcp)
}

/// By which address, as the plan writes it.
#[must_use]
pub fn via(via: Via) -> &'static str {
    match via {
        Via::PodIp => "pod_ip",
        Via::ClusterIp => "cluster_ip",
        Via::Host => "host",
    }
}

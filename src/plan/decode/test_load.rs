//! The decoder of `load:` of a test.

use super::path_names::path_names;
use super::tool_key;
use super::tree::decoder::Decoder;
use super::tree::fields::Fields;
use crate::catalog::{BuiltInTool, LOAD_TOOLS, built_in_tool};
use crate::diag::{Problem, one_of, quote};
use crate::plan::decode::tools::builtin;
use crate::plan::decode::tools::declared::Tools;
use crate::plan::describe::keys::{FEWER_LOADS, LOAD, MOST_LOADS};
use crate::plan::model::plan_file::Concurrency;
use crate::plan::model::test_load::Load;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::text::tree::NodeId;

/// What loads refer to.
pub struct Around<'a> {
    /// The names of the single paths, when they could be read.
    pub singles: Option<Vec<&'a str>>,
    pub meshes: Vec<&'a str>,
    pub tools: Option<&'a Tools>,
    pub concurrency: Concurrency,
}

/// Reads the loads of a test.
pub fn loads(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    known: &Around<'_>,
) -> Option<Vec<Load>> {
    let Some(items) = fields.list("load") else {
        return fields.key_place("load").is_none().then(Vec::new);
    };
    let place = fields.key_place("load").unwrap_or(fields.place);
    if known.concurrency == Concurrency::DisjointNodes {
        let what = "a test with a load needs all nodes to itself";
        let help = "remove `concurrency: disjoint-nodes`, or the load";
        decoder.report(Problem::new(place, what).help(help));
    }
    let found: Vec<Option<Load>> = items
        .iter()
        .map(|item| load(decoder, *item, known))
        .collect();
    let loads: Vec<Load> = found.into_iter().collect::<Option<_>>()?;
    let count: usize = loads.iter().map(|load| load.paths.len()).sum();
    if count > MOST_LOADS {
        let what = format!("{count} loads at once");
        let problem = Problem::new(place, what).label(format!("allowed: at most {MOST_LOADS}"));
        decoder.report(problem.help(FEWER_LOADS));
    }
    Some(loads)
}

fn load(decoder: &Decoder<'_>, id: NodeId, known: &Around<'_>) -> Option<Load> {
    let fields = decoder.open_mapping(id, &LOAD)?;
    for id in fields.list("paths").unwrap_or_default() {
        if let Some(name) = decoder
            .scalar_text(*id)
            .filter(|name| known.meshes.contains(name))
        {
            let what = format!("{} is a mesh: a load runs on single paths", quote(name));
            decoder
                .report(Problem::new(decoder.place(*id), what).help("name paths that are no mesh"));
            return None;
        }
    }
    let paths = path_names(decoder, &fields, known.singles.as_deref());
    let tools: Vec<&str> = LOAD_TOOLS.iter().map(|tool| tool.name).collect();
    let entry = tools.iter().find_map(|name| fields.named(name));
    let used = entry.and_then(|entry| {
        let tool = built_in_tool(&entry.key)?;
        one_value_each(decoder, entry.value, tool);
        builtin::built_in(decoder, entry.value, tool, &mut Vec::new())
    });
    let is_tool = |key: &str| {
        let declared = known.tools.is_some_and(|tools| tools.contains_key(key));
        declared || built_in_tool(key).is_some()
    };
    fields.done_else(|key| {
        if !is_tool(key) {
            return tool_key::hint(key);
        }
        let able = one_of(tools.iter().copied());
        Some(format!(
            "`{key}` cannot be a load: it does not say when its traffic arrives; use {able}"
        ))
    });
    let mut keys = fields.entries().iter().map(|entry| entry.key.as_str());
    let is_explained = keys.any(|key| is_tool(key) || tool_key::stands_for_tool(key, &tools));
    if entry.is_none() && !fields.is_incomplete() && !is_explained {
        let help = format!(
            "add {}, e.g. `iperf3: {{ streams: 4 }}`",
            one_of(tools.iter().copied())
        );
        decoder.report(Problem::new(fields.place, "this load has no tool").help(help));
    }
    Some(Load {
        tool: ToolSpec::BuiltIn(used?),
        paths: paths?,
    })
}

/// Reports lists and ranges of values.
fn one_value_each(decoder: &Decoder<'_>, id: NodeId, tool: &BuiltInTool) {
    for option in tool.options.iter().filter(|option| option.sweeps) {
        let Some(value) = decoder.find(id, &[option.name]).map(|entry| entry.value) else {
            continue;
        };
        if decoder.is_list(value) || decoder.is_mapping(value) {
            let what = "a load has one value of each parameter";
            let problem = Problem::new(decoder.place(value), what);
            decoder.report(
                problem.help("sweep a parameter of the test, or write a test for each load"),
            );
        }
    }
}

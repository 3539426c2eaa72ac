//! The decoder of a plan as a whole.

use indexmap::IndexMap;

use super::fault::Targets;
use super::host_network;
use super::kubernetes::kubernetes;
use super::local::local;
use super::paths::{self, FoundPath, most_to_one};
use super::resources;
use super::rounds;
use super::tests::{self, Known, KnownPath};
use super::timing;
use super::tree::decoder::{Decoder, value_or_default};
use super::tree::fields::Fields;
use super::variants;
use super::workers::{self, KnownWorkers};
use crate::catalog::{Metric, built_in_tool};
use crate::diag::Problem;
use crate::plan::decode::expect::check;
use crate::plan::decode::tools::declared::{self, Tools};
use crate::plan::describe::keys::{DEFAULTS, PLAN};
use crate::plan::model::plan_file::{PlanFile, Test, VERSION};
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::text::extend;
use crate::plan::text::tree::NodeId;

/// Reads a plan. The result is only whole when no problem was noted.
pub fn plan(decoder: &Decoder<'_>, root: NodeId) -> Option<PlanFile> {
    let top = decoder.open_mapping(root, &PLAN)?;
    version(decoder, &top)?;
    top.done_else(|key| PLAN.hint(key));
    let name = top.string("name");
    let description = top.string("description");
    let workers = top.new_names("workers");
    let workers = workers.and_then(|(form, id)| workers::workers(decoder, form, id));
    let local = top.value("local").and_then(|id| local(decoder, id));
    let local = local.unwrap_or_default();
    // Without workers every name would be unknown: one problem, not many.
    let known = workers.as_ref().map(KnownWorkers::new);
    let paths = top.value("paths");
    let mut paths = paths.and_then(|id| paths::paths(decoder, id, known.as_ref(), local.nodes));
    if let Some(paths) = &paths {
        host_network::check(decoder, paths, known.as_ref());
    }
    if let (Some(workers), Some(paths)) = (&workers, &paths) {
        host_network::check_nodes(decoder, paths, workers);
    }
    let known_paths: Option<Vec<KnownPath<'_>>> = paths.as_ref().map(|paths| {
        let known = paths.iter().filter_map(|path| {
            Some(KnownPath {
                name: path.name?.value,
                paths: path.count(),
                is_mesh: path.is_mesh(),
            })
        });
        known.collect()
    });
    let variant_names: Vec<&str> = top
        .value("variants")
        .map(|id| decoder.keys(id))
        .unwrap_or_default();
    let defaults = top.value("defaults").and_then(|id| {
        let fields = decoder.open_mapping(id, &DEFAULTS)?;
        // A tool belongs where its paths belong.
        let is_tool = |key: &str| built_in_tool(key).is_some();
        fields.done_else(|key| {
            if is_tool(key) {
                Some(format!(
                    "`{key}` belongs in each of `tests:`, not in `defaults:`"
                ))
            } else {
                DEFAULTS.hint(key)
            }
        });
        Some(timing::timing(decoder, &fields, variant_names.len()))
    });
    if let Some(defaults) = &defaults {
        rounds::check(decoder, defaults.repeat.as_ref(), &variant_names);
    }
    let order = value_or_default(top.choice("order"));
    let seed = top.number("seed").map(|seed| seed.value);
    let concurrency = value_or_default(top.choice("concurrency"));
    let has_tools = top.key_place("tools").is_some();
    let slots = paths.as_deref().map_or(1, most_to_one);
    let tools = top
        .new_names("tools")
        .and_then(|(names, id)| declared::tools(decoder, names, id, slots));
    let tests = top.value("tests").and_then(|id| {
        let known = Known {
            paths: known_paths.as_deref(),
            tools: tools.as_ref(),
            any_tool: has_tools && tools.is_none(),
            variants: &variant_names,
            concurrency,
            targets: Targets {
                nodes: local.nodes,
                workers: known.as_ref(),
            },
        };
        tests::tests(decoder, id, &defaults.unwrap_or_default(), &known)
    });
    for path in paths.iter_mut().flatten() {
        if let Some(preferred) = metrics_on(path, tests.as_deref(), tools.as_ref(), has_tools) {
            path.read_expect(decoder, &preferred);
        }
    }
    if let (Some(paths), Some(known), Some(tests)) = (&paths, &known_paths, &tests) {
        let names: Vec<&str> = known
            .iter()
            .filter(|p| !p.is_mesh)
            .map(|p| p.name)
            .collect();
        let tests: Vec<_> = tests
            .iter()
            .map(|t| (t.metrics(), t.paths.as_slice()))
            .collect();
        for path in paths {
            if let Some(name) = path.name {
                check::check_path(
                    decoder,
                    &path.expect,
                    name.value,
                    &tests,
                    &names,
                    &variant_names,
                );
            }
        }
    }
    let variants = top.value("variants").and_then(|id| {
        let known = variants::Known {
            workers: workers.as_ref(),
            tests: tests.as_deref(),
            paths: known_paths.as_deref().unwrap_or_default(),
            local: &local,
        };
        variants::variants(decoder, id, &known)
    });
    let kubernetes = top
        .value("kubernetes")
        .and_then(|id| kubernetes(decoder, id));
    if let Some(workers) = &workers {
        let none = IndexMap::new();
        let variants = variants.as_ref().unwrap_or(&none);
        let all = kubernetes.clone().unwrap_or_default();
        if let (Some(id), Some(paths)) = (top.value("variants"), &paths) {
            let all = all.host_network;
            host_network::check_variants(decoder, id, paths, workers, variants, all);
        }
        resources::check_merged(decoder, root, workers, variants, &all.resources.workers);
    }
    if let Some(entry) = top.entry(extend::KEY) {
        let what = "`extends` is only allowed in a file";
        let problem = Problem::new(entry.key_place, what);
        decoder.report(problem.help("values that are set override all files"));
    }
    let paths: Option<Vec<_>> = paths?.into_iter().map(FoundPath::entry).collect();
    Some(PlanFile {
        version: VERSION,
        name: name?,
        description,
        workers: workers?,
        variants: variants.unwrap_or_default(),
        paths: paths?,
        order,
        seed,
        concurrency,
        tools: tools
            .unwrap_or_default()
            .into_iter()
            .map(|(name, tool)| Some((name, tool?)))
            .collect::<Option<_>>()?,
        tests: tests?,
        local,
        kubernetes: kubernetes.unwrap_or_default(),
    })
}

/// The metrics that a path's `expect` may name beside netplan's own: those of the tests on it, then
/// those of all declared tools. None when a tool could not be read: any name may be one of its own.
fn metrics_on(
    path: &FoundPath<'_>,
    tests: Option<&[Test]>,
    tools: Option<&Tools>,
    has_tools: bool,
) -> Option<Vec<Metric>> {
    if has_tools && tools.is_none() {
        return None;
    }
    let name = path.name.map(|name| name.value);
    let here = |test: &&Test| test.paths.iter().any(|path| Some(path.as_str()) == name);
    let here = tests.unwrap_or_default().iter().filter(here);
    let mut metrics: Vec<Metric> = here
        .filter(|test| matches!(test.tool, ToolSpec::Declared(_)))
        .flat_map(|test| test.tool.measures())
        .collect();
    for tool in tools.into_iter().flat_map(Tools::values) {
        metrics.extend(tool.as_ref()?.all_metrics());
    }
    Some(metrics)
}

/// Nothing else is read of a plan in another version: its keys may mean other things.
fn version(decoder: &Decoder<'_>, top: &Fields<'_, '_>) -> Option<()> {
    let Some(id) = top.value("version") else {
        return Some(());
    };
    let Some(version) = decoder.whole(id, 0, u64::MAX, "") else {
        return Some(());
    };
    let place = decoder.place(id);
    if version == u64::from(VERSION) {
        return Some(());
    }
    let what = format!("version {version} of the plan language is unknown");
    decoder.report(Problem::new(place, what).help(format!(
        "this netplan reads version {VERSION}: write `version: {VERSION}`, or use a newer netplan"
    )));
    None
}

//! The decoder of a plan as a whole, and of its emulated nodes.

use super::decoder::Decoder;
use super::fields::Fields;
use super::host_network;
use super::kubernetes::kubernetes;
use super::paths::{FoundPath, most_to_one, paths};
use super::tests::{self, Known, KnownPath};
use super::timing::{self, PartialTiming};
use super::workers::{KnownWorkers, workers};
use crate::diag::Problem;
use crate::plan::decode::expect::check;
use crate::plan::decode::tools::declared::{self, Tools};
use crate::plan::model::local::{Link, Local, Offloads};
use crate::plan::model::mesh::{Expanded, expand};
use crate::plan::model::metric::Metric;
use crate::plan::model::plan::{Concurrency, Order, Plan, Test, VERSION};
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::{BitRate, Duration, Percent};
use crate::plan::text::extend;
use crate::plan::text::tree::NodeId;

/// A DNS label has no more characters.
pub const LONGEST_NAME: usize = 63;
/// Reads a plan. The result is only whole when no problem was noted.
pub fn plan(decoder: &Decoder<'_>, root: NodeId) -> Option<Plan> {
    let top = decoder.fields(
        root,
        "a plan with `version: 1`, `name`, `workers`, `paths` and `tests`",
        false,
    )?;
    version(decoder, &top)?;
    let name = top.required("name", |id| {
        Some(decoder.dns_label(decoder.text(id)?, LONGEST_NAME))
    });
    let description = top.optional("description", |id| decoder.text(id));
    let workers = top.required("workers", |id| workers(decoder, id));
    let local = top
        .optional("local", |id| local(decoder, id))
        .unwrap_or_default();
    // Without workers every name would be unknown: one problem, not many.
    let known = workers.as_ref().map(KnownWorkers::new);
    let mut paths = top.required("paths", |id| {
        paths(decoder, id, known.as_ref(), local.nodes)
    });
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
    let defaults = top.optional("defaults", |id| {
        let fields = decoder.fields(
            id,
            "a mapping with `duration`, `warmup`, `repeat` or the like",
            true,
        )?;
        let timing = timing::timing(decoder, &fields);
        fields.done_else(|key| {
            matches!(key, "paths" | "iperf3" | "netperf" | "label")
                .then(|| format!("`{key}` stands within each of `tests:`, not in `defaults:`"))
        });
        Some(timing)
    });
    let order = top.optional("order", |id| {
        let choices = [
            ("listed", Order::Listed),
            ("interleaved", Order::Interleaved),
            ("shuffled", Order::Shuffled),
        ];
        decoder.choice(id, &choices)
    });
    let seed = top.optional("seed", |id| decoder.whole(id, 0, u64::MAX, ""));
    let concurrency = top.optional("concurrency", |id| {
        let choices = [
            ("serial", Concurrency::Serial),
            ("disjoint-nodes", Concurrency::DisjointNodes),
        ];
        decoder.choice(id, &choices)
    });
    let has_tools = top.key_place("tools").is_some();
    let slots = paths.as_deref().map_or(1, most_to_one);
    let tools = top.optional("tools", |id| declared::tools(decoder, id, slots));
    let tests = top.required("tests", |id| {
        let known = Known {
            paths: known_paths.as_deref(),
            tools: tools.as_ref(),
            any_tool: has_tools && tools.is_none(),
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
            .map(|t| (&t.tool, t.paths.as_slice()))
            .collect();
        for path in paths {
            if let Some(name) = path.name {
                check::check_path(decoder, &path.expect, name.value, &tests, &names);
            }
        }
    }
    let kubernetes = top.optional("kubernetes", |id| kubernetes(decoder, id));
    if let Some(entry) = top.entry(extend::KEY) {
        let what = "`extends` has to stand in the file of the plan";
        let problem = Problem::new(entry.key_place, what);
        decoder.report(problem.help("values that are set lie above all files"));
    }
    top.done_else(|key| {
        if matches!(key, "image" | "namespace" | "node_selector" | "tolerations") {
            return Some(format!("`{key}` stands in `kubernetes:`"));
        }
        PartialTiming::KEYS.contains(&key).then(|| {
            format!("`{key}` stands in `defaults:`, for all tests, or within one of `tests:`")
        })
    });
    let entries: Option<Vec<_>> = paths?.into_iter().map(FoundPath::entry).collect();
    let Expanded {
        workers,
        groups,
        paths,
        meshes,
    } = expand(workers?, entries?, local.nodes);
    Some(Plan {
        version: VERSION,
        name: name?.value.to_owned(),
        description: description.map(|text| text.value.to_owned()),
        workers,
        groups,
        paths,
        meshes,
        order: order.unwrap_or_default(),
        seed,
        concurrency: concurrency.unwrap_or_default(),
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
    let version = top.required("version", |id| {
        let version = decoder.whole(id, 0, u64::MAX, "")?;
        Some((version, decoder.place(id)))
    });
    let Some((version, place)) = version else {
        return Some(());
    };
    if version == u64::from(VERSION) {
        return Some(());
    }
    let what = format!("version {version} of the plan language is unknown");
    decoder.report(Problem::new(place, what).help(format!(
        "this netplan reads version {VERSION}: write `version: {VERSION}`, or use a newer netplan"
    )));
    None
}

fn local(decoder: &Decoder<'_>, id: NodeId) -> Option<Local> {
    let fields = decoder.fields(id, "a mapping with `nodes`, `links` or `offloads`", true)?;
    let nodes = fields.optional("nodes", |id| decoder.whole(id, 1, 32, "nodes"));
    let links = fields.optional("links", |id| link(decoder, id));
    let offloads = fields.optional("offloads", |id| {
        let choices = [("off", Offloads::Off), ("kernel", Offloads::Kernel)];
        decoder.choice(id, &choices)
    });
    fields.done_else(|key| {
        matches!(key, "rate" | "delay" | "loss" | "mtu")
            .then(|| format!("`{key}` stands one level deeper, in `links:`"))
    });
    let default = Local::default();
    Some(Local {
        nodes: nodes.map_or(default.nodes, small),
        links: links.unwrap_or_default(),
        offloads: offloads.unwrap_or_default(),
    })
}

fn link(decoder: &Decoder<'_>, id: NodeId) -> Option<Link> {
    let fields = decoder.fields(id, "a mapping with `rate`, `delay`, `loss` or `mtu`", true)?;
    let link = Link {
        rate: fields.optional("rate", |id| {
            decoder.rate_limit(id, BitRate(1_000), BitRate(1_000_000_000_000))
        }),
        delay: fields.optional("delay", |id| {
            let seconds = |s| Duration(std::time::Duration::from_secs(s));
            decoder.bounded(id, seconds(0), seconds(10))
        }),
        loss: fields.optional("loss", |id| {
            decoder.bounded(id, Percent(0.0), Percent(99.0))
        }),
        mtu: fields.optional("mtu", |id| {
            decoder.whole(id, 576, 65535, "bytes").map(small)
        }),
    };
    fields.done();
    Some(link)
}

/// A number that was checked to be small.
pub fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

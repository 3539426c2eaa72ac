//! The decoder of a plan: its workers, paths and emulated nodes.

use indexmap::IndexMap;

use super::decode::{At, Decoder};
use super::fields::Fields;
use super::host;
use super::model::{Link, Local, Offloads, Order, Path, Placement, Plan, VERSION, Via};
use super::placement::{self, Labelled, Named, Scope};
use super::read_kubernetes::{checked, kubernetes, node_selector};
use super::read_test::{self, PartialTiming};
use super::tree::NodeId;
use super::units::{BitRate, Duration, Percent};
use super::words;
use crate::diag::Problem;

/// A DNS label has no more characters.
pub const LONGEST_NAME: usize = 63;
/// A worker's Pod and Service are named `netplan-<run id>-<worker>`, in 63 characters at most: the
/// run's id takes 8, and some room is left for longer ones.
const LONGEST_WORKER: usize = 40;
/// Its Service and Secret bear this name in the place of a worker's.
const ORCHESTRATOR: &str = "orchestrator";

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
    // Without workers every name would be unknown: one problem, not many.
    let worker_names: Option<Vec<&str>> = workers
        .as_ref()
        .map(|workers| workers.keys().map(String::as_str).collect());
    let paths = top.required("paths", |id| paths(decoder, id, worker_names.as_deref()));
    if let (Some(workers), Some(paths)) = (&workers, &paths) {
        host::check_nodes(decoder, paths, workers);
    }
    let path_names: Option<Vec<&str>> = paths.as_ref().map(|paths| {
        let names = paths.iter().filter_map(|path| path.name);
        names.map(|name| name.value).collect()
    });
    let defaults = top.optional("defaults", |id| {
        let fields = decoder.fields(
            id,
            "a mapping with `duration`, `warmup`, `repeat` or the like",
            true,
        )?;
        let timing = read_test::timing(decoder, &fields);
        fields.done_else(|key| {
            matches!(key, "paths" | "iperf3" | "netperf" | "label")
                .then(|| format!("`{key}` stands within each of `tests:`, not in `defaults:`"))
        });
        Some(timing)
    });
    let order = top.optional("order", |id| {
        decoder.choice(id, &[("listed", Order::Listed)])
    });
    let tests = top.required("tests", |id| {
        let defaults = defaults.unwrap_or_default();
        read_test::tests(decoder, id, &defaults, path_names.as_deref())
    });
    let local = top.optional("local", |id| local(decoder, id));
    let kubernetes = top.optional("kubernetes", |id| kubernetes(decoder, id));
    top.done_else(|key| {
        if matches!(key, "image" | "namespace" | "node_selector" | "tolerations") {
            return Some(format!("`{key}` stands in `kubernetes:`"));
        }
        PartialTiming::KEYS.contains(&key).then(|| {
            format!("`{key}` stands in `defaults:`, for all tests, or within one of `tests:`")
        })
    });
    Some(Plan {
        version: VERSION,
        name: name?.value.to_owned(),
        description: description.map(|text| text.value.to_owned()),
        workers: workers?,
        paths: paths?
            .into_iter()
            .map(FoundPath::path)
            .collect::<Option<_>>()?,
        order: order.unwrap_or_default(),
        tests: tests?,
        local: local.unwrap_or_default(),
        kubernetes: kubernetes.unwrap_or_default(),
    })
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

fn workers(decoder: &Decoder<'_>, id: NodeId) -> Option<IndexMap<String, Placement>> {
    let fields = decoder.fields(
        id,
        "a mapping with a name for each worker, as in `w1: {}`",
        false,
    )?;
    if fields.entries().is_empty() {
        let problem = Problem::new(fields.place, "there are no workers");
        decoder.report(problem.help("name at least one, as in `w1: {}`"));
        return None;
    }
    if fields.entries().len() > MOST_WORKERS {
        let what = format!("a plan has at most {MOST_WORKERS} workers");
        decoder.report(Problem::new(fields.place, what).help("paths may share workers"));
        return None;
    }
    let names: Vec<&str> = fields.entries().iter().map(|e| e.key.as_str()).collect();
    let mut workers = IndexMap::new();
    let mut rules = Vec::new();
    let mut by_name = Vec::new();
    let mut by_labels = Vec::new();
    for (index, entry) in fields.entries().iter().enumerate() {
        let name = At {
            value: entry.key.as_str(),
            place: entry.key_place,
        };
        decoder.dns_label(name, LONGEST_WORKER);
        if name.value == ORCHESTRATOR {
            let what = format!("`{ORCHESTRATOR}` is the name of netplan's own pod");
            decoder.report(Problem::new(name.place, what).help("give the worker another name"));
        }
        let mut placement = Placement::default();
        if let Some(fields) = decoder.fields(entry.value, PLACEMENT, true) {
            let mut rule = |key, same, scope| {
                let found = fields.optional(key, |id| decoder.reference(id, "worker", &names))?;
                let other = names.iter().position(|name| *name == found.value)?;
                rules.push(placement::Rule {
                    worker: index,
                    other,
                    same,
                    scope,
                    place: found.place,
                });
                Some(found.value.to_owned())
            };
            placement.same_node_as = rule("same_node_as", true, Scope::Node);
            placement.other_node_than = rule("other_node_than", false, Scope::Node);
            placement.same_zone_as = rule("same_zone_as", true, Scope::Zone);
            placement.other_zone_than = rule("other_zone_than", false, Scope::Zone);
            let node = fields.optional("node", |id| {
                checked(decoder, decoder.text(id)?, words::object_name)
            });
            if let Some(At { value, place }) = node {
                by_name.push(Named {
                    worker: index,
                    node: value,
                    place,
                });
                placement.node = Some(value.to_owned());
            }
            placement.node_selector = fields
                .optional("node_selector", |id| {
                    let labels = node_selector(decoder, id)?;
                    by_labels.push(Labelled {
                        worker: index,
                        labels: labels.clone(),
                        place: decoder.place(id),
                    });
                    Some(labels)
                })
                .unwrap_or_default();
            let both = fields
                .key_place("same_node_as")
                .zip(fields.key_place("same_zone_as"));
            if let Some((node, zone)) = both {
                let what = "`same_node_as` says the zone too";
                decoder.report(
                    Problem::new(zone, what)
                        .related(node, "the node, and so the zone")
                        .help("remove one of the rules"),
                );
            }
            fields.done_else(|key| match key {
                "nodeSelector" => Some("it is called `node_selector` here".to_owned()),
                "nodeName" | "node_name" => Some("it is called `node` here".to_owned()),
                _ => None,
            });
        }
        workers.insert(entry.key.clone(), placement);
    }
    for problem in placement::check(&names, &rules, &by_name, &by_labels) {
        decoder.report(problem);
    }
    Some(workers)
}

/// More are no benchmark, and would make looking names up slow.
const MOST_WORKERS: usize = 100;
const MOST_PATHS: usize = 500;

const PLACEMENT: &str = "`{}`, or a mapping with `same_node_as`, `other_node_than` or the like";

/// What could be read of a path.
pub(super) struct FoundPath<'t> {
    name: Option<At<&'t str>>,
    label: Option<String>,
    pub from: Option<At<&'t str>>,
    pub to: Option<At<&'t str>>,
    pub via: Option<At<Via>>,
}

impl FoundPath<'_> {
    fn path(self) -> Option<Path> {
        let name = self.name?.value.to_owned();
        Some(Path {
            label: self.label.unwrap_or_else(|| name.clone()),
            name,
            from: self.from?.value.to_owned(),
            to: self.to?.value.to_owned(),
            via: self.via?.value,
        })
    }
}

fn paths<'t>(
    decoder: &Decoder<'t>,
    id: NodeId,
    workers: Option<&[&str]>,
) -> Option<Vec<FoundPath<'t>>> {
    let items = decoder.list(id, "`- { name: pod, from: w1, to: w2, via: pod_ip }`")?;
    if items.len() > MOST_PATHS {
        let what = format!("a plan has at most {MOST_PATHS} paths");
        decoder.report(Problem::new(decoder.place(id), what));
        return None;
    }
    let paths: Vec<FoundPath<'t>> = items
        .iter()
        .filter_map(|item| path(decoder, *item, workers))
        .collect();
    decoder.unique("paths", paths.iter().filter_map(|path| path.name));
    host::check(decoder, &paths);
    Some(paths)
}

fn path<'t>(decoder: &Decoder<'t>, id: NodeId, workers: Option<&[&str]>) -> Option<FoundPath<'t>> {
    let fields = decoder.fields(id, "a path with `name`, `from`, `to` and `via`", false)?;
    let worker = |id| match workers {
        Some(workers) => decoder.reference(id, "worker", workers),
        None => decoder.text(id),
    };
    let name = fields.required("name", |id| {
        Some(decoder.dns_label(decoder.text(id)?, LONGEST_NAME))
    });
    let label = fields.optional("label", |id| label(decoder, id));
    let from = fields.required("from", worker);
    let to = fields.required("to", worker);
    let via = fields.required("via", |id| {
        let choices = [
            ("pod_ip", Via::PodIp),
            ("cluster_ip", Via::ClusterIp),
            ("host", Via::Host),
        ];
        Some(At {
            value: decoder.choice(id, &choices)?,
            place: decoder.place(id),
        })
    });
    fields.done();
    if let (
        Some(from),
        Some(to),
        Some(At {
            value: Via::PodIp | Via::Host,
            place,
        }),
    ) = (from, to, via)
        && from.value == to.value
    {
        let what = "a worker reaches its own address over loopback, not over the network";
        let help = "a hairpin, out of a pod and back into it, is `via: cluster_ip`";
        decoder.report(
            Problem::new(place, what)
                .related(to.place, "the worker that it comes from")
                .help(help),
        );
    }
    Some(FoundPath {
        name,
        label,
        from,
        to,
        via,
    })
}

const LONGEST_LABEL: usize = 100;

/// A label becomes a field of `result.csv`, which knows no quoting.
pub fn label(decoder: &Decoder<'_>, id: NodeId) -> Option<String> {
    let label = decoder.text(id)?;
    let wrong = label
        .value
        .chars()
        .find(|c| c.is_control() || *c == ',' || *c == ';');
    let problem = match wrong {
        Some(c) => {
            let c = crate::diag::quote(&c.to_string());
            Problem::new(label.place, format!("a label cannot have {c} in it"))
        }
        None if label.value.chars().count() > LONGEST_LABEL => {
            Problem::new(label.place, "the label is too long")
                .label(format!("{LONGEST_LABEL} characters at most"))
        }
        None if label.value.trim().is_empty() => {
            Problem::new(label.place, "a label cannot be empty")
        }
        None => return Some(label.value.to_owned()),
    };
    decoder.report(problem.help("labels stand in `result.csv`: one line, without `,` and `;`"));
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
            decoder.bounded(id, BitRate(1_000), BitRate(1_000_000_000_000))
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

//! The decoder of `paths:`: single paths, and the meshes of groups.

use std::collections::HashMap;

use super::tree::decoder::{At, Decoder};
use super::tree::fields::Fields;
use super::workers::KnownWorkers;
use crate::catalog::Metric;
use crate::diag::{Problem, quote};
use crate::plan::decode::expect::expectations::{self, Expected};
use crate::plan::describe::keys::{MESH, MESH_ENTRY, PATH};
use crate::plan::model::family::Family;
use crate::plan::model::path::{Mesh, MeshEntry, Path, PathEntry, Via};
use crate::plan::text::tree::NodeId;

/// What could be read of an item of `paths:`.
#[derive(Debug)]
pub struct FoundPath<'t> {
    pub name: Option<At<&'t str>>,
    label: Option<String>,
    pub ends: Ends<'t>,
    pub via: Option<At<Via>>,
    family: Option<Family>,
    /// Where its bounds are; they may name metrics of declared tools, so they are read after those.
    pub expect_id: Option<NodeId>,
    pub expect: Vec<Expected>,
}

/// The workers of a path.
#[derive(Clone, Copy, Debug)]
pub enum Ends<'t> {
    Path {
        from: Option<At<&'t str>>,
        to: Option<At<&'t str>>,
    },
    Mesh {
        group: Option<At<&'t str>>,
        both_directions: bool,
        /// How many paths it has, for now.
        paths: u64,
    },
}

impl FoundPath<'_> {
    /// How many paths it expands to.
    pub fn count(&self) -> u64 {
        match self.ends {
            Ends::Path { .. } => 1,
            Ends::Mesh { paths, .. } => paths,
        }
    }

    /// Reads what is expected on it. `preferred` are the metrics that are probably meant.
    pub fn read_expect(&mut self, decoder: &Decoder<'_>, preferred: &[Metric]) {
        let read = |id| expectations::expectations(decoder, id, preferred);
        self.expect = self.expect_id.and_then(read).unwrap_or_default();
    }

    pub fn is_mesh(&self) -> bool {
        matches!(self.ends, Ends::Mesh { .. })
    }

    pub fn entry(self) -> Option<PathEntry> {
        let name = self.name?.value.to_owned();
        let label = self.label.unwrap_or_else(|| name.clone());
        let via = self.via?.value;
        let expect = Expected::to_expectations(&self.expect);
        Some(match self.ends {
            Ends::Path { from, to } => PathEntry::Path(Path {
                variant: 0,
                name,
                label,
                from: from?.value.to_owned(),
                to: to?.value.to_owned(),
                via,
                family: self.family,
                expect,
            }),
            Ends::Mesh {
                group,
                both_directions,
                ..
            } => PathEntry::Mesh(MeshEntry {
                mesh: Mesh {
                    name,
                    label,
                    workers: group?.value.to_owned(),
                    via,
                    family: self.family,
                    both_directions,
                    expect,
                },
            }),
        })
    }
}

/// Reads the paths. A group without `count` has `nodes` workers.
pub fn paths<'t>(
    decoder: &Decoder<'t>,
    id: NodeId,
    workers: Option<&KnownWorkers<'_>>,
    nodes: u32,
) -> Option<Vec<FoundPath<'t>>> {
    if decoder.has_key(id, "mesh") {
        return Some(vec![entry(decoder, id, workers, nodes)?]);
    }
    let items = decoder.list(id, "`- { name: pod, from: w1, to: w2, via: pod_ip }`")?;
    let paths: Vec<FoundPath<'t>> = items
        .iter()
        .filter_map(|item| entry(decoder, *item, workers, nodes))
        .collect();
    decoder.unique("paths", paths.iter().filter_map(|path| path.name));
    for mesh in paths.iter().filter(|path| path.is_mesh()) {
        check_names(decoder, mesh, &paths);
    }
    Some(paths)
}

/// How many paths lead to one destination, at most.
pub fn most_to_one(paths: &[FoundPath<'_>]) -> u16 {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for path in paths {
        // In a mesh each worker has one path from each other, and they count as one: see `slots`.
        let (Ends::Path { to: Some(to), .. }
        | Ends::Mesh {
            group: Some(to), ..
        }) = path.ends
        else {
            continue;
        };
        *counts.entry(to.value).or_default() += 1;
    }
    let most = counts.into_values().max().unwrap_or(1);
    u16::try_from(most).unwrap_or(u16::MAX)
}

/// No other path may have the name of one of a mesh.
fn check_names(decoder: &Decoder<'_>, mesh: &FoundPath<'_>, paths: &[FoundPath<'_>]) {
    let Some(mesh) = mesh.name else {
        return;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    for name in paths.iter().filter_map(|path| path.name) {
        let rest = name.value.strip_prefix(mesh.value);
        let rest = rest.and_then(|rest| rest.strip_prefix('-')?.split_once('-'));
        if rest.is_some_and(|(from, to)| number(from) && number(to)) {
            let what = format!("{} is the name of a path of the mesh", quote(name.value));
            decoder.report(
                Problem::new(name.place, what)
                    .related(mesh.place, format!("has paths like `{}-1-2`", mesh.value))
                    .help("give one of them another name"),
            );
        }
    }
}

fn entry<'t>(
    decoder: &Decoder<'t>,
    id: NodeId,
    workers: Option<&KnownWorkers<'_>>,
    nodes: u32,
) -> Option<FoundPath<'t>> {
    if !decoder.has_key(id, "mesh") {
        let fields = decoder.mapping(id, &PATH)?;
        return Some(path(decoder, &fields, workers));
    }
    let entry = decoder.mapping(id, &MESH_ENTRY)?;
    mesh(decoder, entry.value("mesh")?, workers, nodes)
}

fn mesh<'t>(
    decoder: &Decoder<'t>,
    id: NodeId,
    workers: Option<&KnownWorkers<'_>>,
    nodes: u32,
) -> Option<FoundPath<'t>> {
    let fields = decoder.mapping(id, &MESH)?;
    let name = fields.text("name");
    let label = fields.string("label");
    let group = fields.value("workers").and_then(|id| match workers {
        Some(workers) => workers.group(decoder, id),
        None => decoder.text(id),
    });
    let via = fields.choice("via");
    let family = fields.choice("family").map(|at| at.value);
    let one_direction =
        fields.key_place("both_directions").is_some() && !fields.boolean("both_directions");
    let both_directions = !one_direction;
    let size = group
        .zip(workers)
        .map_or(2, |(group, workers)| workers.size(group.value, nodes));
    if let Some(group) = group
        && size < 2
    {
        let what = format!("a mesh of {size} worker has no paths");
        let help = "give the group a `count` of 2 or more, or `local.nodes`";
        decoder.report(Problem::new(group.place, what).help(help));
    }
    let pairs = u64::from(size) * u64::from(size.saturating_sub(1)) / 2;
    Some(FoundPath {
        name: name.or(group),
        label,
        ends: Ends::Mesh {
            group,
            both_directions,
            paths: if both_directions { 2 * pairs } else { pairs },
        },
        via,
        family,
        expect_id: fields.value("expect"),
        expect: Vec::new(),
    })
}

fn path<'t>(
    decoder: &Decoder<'t>,
    fields: &Fields<'_, 't>,
    workers: Option<&KnownWorkers<'_>>,
) -> FoundPath<'t> {
    let worker = |id| match workers {
        Some(workers) => workers.single(decoder, id),
        None => decoder.text(id),
    };
    let name = fields.text("name");
    let label = fields.string("label");
    let from = fields.value("from").and_then(worker);
    let to = fields.value("to").and_then(worker);
    let via = fields.choice("via");
    let family = fields.choice("family").map(|at| at.value);
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
    FoundPath {
        name,
        label,
        ends: Ends::Path { from, to },
        via,
        family,
        expect_id: fields.value("expect"),
        expect: Vec::new(),
    }
}

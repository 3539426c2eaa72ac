//! The decoder of `variants:`.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::local::variant_local;
use super::objects::objects;
use super::pod_settings::worker_pods;
use super::tests::KnownPath;
use super::tools::{builtin, parameter};
use super::tree::decoder::{At, Decoder};
use crate::diag::{Place, Problem, quote};
use crate::plan::describe::keys::{LONGEST_GROUP_NAME, LONGEST_WORKER, VARIANT, WORKER_SETTINGS};
use crate::plan::model::expand::group_and_number;
use crate::plan::model::local::Local;
use crate::plan::model::plan_file::{Placement, Test};
use crate::plan::model::pod_settings::PodSettings;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::variants::{ALL_WORKERS, ToolParameters, Variant, worker_of_variant};
use crate::plan::text::tree::{Entry, NodeId};

/// What variants refer to; `None` for what could not be read.
pub struct Known<'a> {
    pub workers: Option<&'a IndexMap<String, Placement>>,
    pub tests: Option<&'a [Test]>,
    /// Those that could be read.
    pub paths: &'a [KnownPath<'a>],
    pub local: &'a Local,
}

/// Reads the variants by name.
pub fn variants(
    decoder: &Decoder<'_>,
    id: NodeId,
    known: &Known<'_>,
) -> Option<IndexMap<String, Variant>> {
    let what = "a mapping with a name for each variant, e.g. `plain: {}`";
    let fields = decoder.fields(id, what, false)?;
    if fields.entries().len() < 2 {
        let what = "a variant needs another one to be compared with";
        let help = "write the base first, e.g. `variants: { plain: {}, bbr: … }`";
        decoder.report(Problem::new(fields.place, what).help(help));
    }
    let mut found = IndexMap::new();
    let mut taken = known.workers.map(Names::of_plan);
    let mut object_bytes = 0;
    for (index, entry) in fields.entries().iter().enumerate() {
        let name = key_of(entry);
        decoder.dns_label(name, LONGEST_WORKER);
        if name.value.bytes().all(|byte| byte.is_ascii_digit()) {
            let what = format!("the variant {} has a number as its name", quote(name.value));
            let help = "begin the name with a letter: workers of groups have numbers";
            decoder.report(Problem::new(name.place, what).help(help));
        }
        if known.paths.iter().any(|path| path.name == name.value) {
            let what = format!("{} is the name of a path too", quote(name.value));
            let help = "give one of them another name: `% of NAME` in `expect` means either";
            decoder.report(Problem::new(name.place, what).help(help));
        }
        if index > 0
            && let Some((workers, taken)) = known.workers.zip(taken.as_mut())
        {
            check_names(decoder, name, workers, taken);
        }
        found.insert(
            entry.key.clone(),
            variant(decoder, entry.value, known, &mut object_bytes).unwrap_or_default(),
        );
    }
    Some(found)
}

fn key_of(entry: &Entry) -> At<&str> {
    At {
        value: entry.key.as_str(),
        place: entry.key_place,
    }
}

fn variant(
    decoder: &Decoder<'_>,
    id: NodeId,
    known: &Known<'_>,
    object_bytes: &mut usize,
) -> Option<Variant> {
    let fields = decoder.mapping(id, &VARIANT)?;
    let workers = fields.value("workers");
    let workers = workers.and_then(|id| workers_of(decoder, id, known.workers));
    let tests = fields.value("tests");
    let tests = tests.and_then(|id| tests_of(decoder, id, known.tests));
    let local = fields.value("local");
    let local = local.and_then(|id| variant_local(decoder, id, known.local));
    Some(Variant {
        local: local.unwrap_or_default(),
        workers: workers.unwrap_or_default(),
        tests: tests.unwrap_or_default(),
        objects: objects(decoder, &fields, object_bytes),
    })
}

fn workers_of(
    decoder: &Decoder<'_>,
    id: NodeId,
    known: Option<&IndexMap<String, Placement>>,
) -> Option<IndexMap<String, PodSettings>> {
    let what = "a mapping with the names of workers, or `all`";
    let fields = decoder.fields(id, what, true)?;
    let mut found = IndexMap::new();
    for entry in fields.entries() {
        if let Some(known) = known
            && entry.key != ALL_WORKERS
            && !known.contains_key(&entry.key)
        {
            let names = known.keys().map(String::as_str).chain([ALL_WORKERS]);
            decoder.unknown_name("worker or group", key_of(entry), &names.collect::<Vec<_>>());
        }
        let fields = decoder.mapping(entry.value, &WORKER_SETTINGS);
        let pods = fields.map(|fields| worker_pods(decoder, &fields));
        found.insert(entry.key.clone(), pods.unwrap_or_default());
    }
    Some(found)
}

fn tests_of(
    decoder: &Decoder<'_>,
    id: NodeId,
    known: Option<&[Test]>,
) -> Option<IndexMap<String, ToolParameters>> {
    let fields = decoder.fields(id, "a mapping with the names of tests", true)?;
    let mut found = IndexMap::new();
    for entry in fields.entries() {
        let Some(known) = known else { continue };
        let by_name: HashMap<&str, &Test> = known.iter().map(|t| (&*t.name, t)).collect();
        let Some(test) = by_name.get(entry.key.as_str()) else {
            let names: Vec<&str> = known.iter().map(|test| &*test.name).collect();
            decoder.unknown_name("test", key_of(entry), &names);
            continue;
        };
        if let Some(changed) = parameters(decoder, entry.value, &test.tool) {
            found.insert(entry.key.clone(), changed);
        }
    }
    Some(found)
}

/// The tool of a test with the parameters that a variant changes. They are held to the tool as those of
/// the test are.
fn parameters(decoder: &Decoder<'_>, id: NodeId, base: &ToolSpec) -> Option<ToolParameters> {
    let fields = decoder.fields(id, "a mapping with parameters of the test's tool", true)?;
    let mut swept = Vec::new();
    let tool = match base {
        ToolSpec::BuiltIn(base) => {
            ToolSpec::BuiltIn(builtin::changed(decoder, id, base, &mut swept)?)
        }
        ToolSpec::Declared(base) => {
            let used = parameter::used(decoder, id, &base.tool, Some(base), &mut swept);
            ToolSpec::Declared(used?)
        }
    };
    for swept in swept.iter().filter(|swept| swept.values > 1) {
        let what = "a variant changes a parameter to a single value";
        let help = "sweep it in the test, or make a variant for each value";
        decoder.report(Problem::new(swept.place, what).help(help));
    }
    for entry in fields.entries() {
        let is_swept = base
            .values(&entry.key)
            .is_some_and(|values| values.len() > 1);
        if is_swept {
            let what = format!("the test sweeps {}", quote(&entry.key));
            let help = "a variant measures the same cells: change another parameter";
            decoder.report(Problem::new(entry.key_place, what).help(help));
        }
    }
    let changed = fields.entries().iter().map(|entry| entry.key.clone());
    Some(ToolParameters {
        tool,
        changed: changed.collect(),
    })
}

/// The names of all workers and groups.
#[derive(Default)]
struct Names<'p> {
    owners: HashMap<String, Owner<'p>>,
    /// By the name that a group would need to have the worker of this name.
    numbered: HashMap<String, Owner<'p>>,
}

/// Whose name it is.
#[derive(Clone, Copy)]
struct Owner<'p> {
    worker: &'p str,
    is_group: bool,
    /// `None` for the plan's own workers.
    variant: Option<At<&'p str>>,
}

impl<'p> Names<'p> {
    fn of_plan(workers: &'p IndexMap<String, Placement>) -> Self {
        let mut names = Self::default();
        for (worker, placement) in workers {
            let owner = Owner {
                worker,
                is_group: placement.one_per_node,
                variant: None,
            };
            names.add(worker, owner);
        }
        names
    }

    fn add(&mut self, name: &str, owner: Owner<'p>) {
        if let Some((group, _)) = group_and_number(name) {
            self.numbered.entry(group.to_owned()).or_insert(owner);
        }
        self.owners.entry(name.to_owned()).or_insert(owner);
    }

    /// Who has the name, or that of a worker of the group.
    fn owner(&self, name: &str, is_group: bool) -> Option<&Owner<'p>> {
        let group = || {
            let (group, _) = group_and_number(name)?;
            self.owners.get(group).filter(|owner| owner.is_group)
        };
        let numbered = || self.numbered.get(name).filter(|_| is_group);
        self.owners.get(name).or_else(group).or_else(numbered)
    }
}

/// The workers of a variant are called as the plan's with the variant's name behind: no other worker may have
/// such a name, and it may not be too long.
fn check_names<'p>(
    decoder: &Decoder<'_>,
    variant: At<&'p str>,
    workers: &'p IndexMap<String, Placement>,
    taken: &mut Names<'p>,
) {
    for (worker, placement) in workers {
        let name = worker_of_variant(worker, variant.value);
        let is_group = placement.one_per_node;
        let longest = if is_group {
            LONGEST_GROUP_NAME
        } else {
            LONGEST_WORKER
        };
        if name.len() > longest {
            let what = format!(
                "{}, a worker's name in this variant, is too long",
                quote(&name)
            );
            let label = format!("{longest} characters at most");
            decoder.report(Problem::new(variant.place, what).label(label));
            return;
        }
        if let Some(owner) = taken.owner(&name, is_group) {
            decoder.report(taken_name(&name, worker, variant.place, owner));
            return;
        }
        let owner = Owner {
            worker,
            is_group,
            variant: Some(variant),
        };
        taken.add(&name, owner);
    }
}

fn taken_name(name: &str, worker: &str, place: Place, owner: &Owner<'_>) -> Problem {
    let what = match owner.variant {
        None => format!(
            "{} is a worker of the plan, and {}'s name in this variant",
            quote(name),
            quote(worker)
        ),
        Some(variant) => {
            let other = worker_of_variant(owner.worker, variant.value);
            // A group has the names of its workers too.
            let own = if other == name {
                String::new()
            } else {
                format!("{} is ", quote(name))
            };
            format!(
                "{} is {}'s name in {}, and {own}{}'s name in this variant",
                quote(&other),
                quote(owner.worker),
                quote(variant.value),
                quote(worker)
            )
        }
    };
    let problem = Problem::new(place, what).help("give the variant or the worker another name");
    match owner.variant {
        Some(variant) => problem.related(variant.place, "the other variant"),
        None => problem,
    }
}

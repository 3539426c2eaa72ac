//! The decoder of `workers:`: who there is, and where each sits.

use indexmap::IndexMap;

use super::placement::{self, Labelled, Named, Scope};
use super::pod_settings::worker_pods;
use super::tree::decoder::{At, Decoder};
use super::tree::fields::Fields;
use crate::diag::{Place, Problem, did_you_mean, quote};
use crate::plan::describe::key::NewName;
use crate::plan::describe::keys::{LONGEST_GROUP_NAME, LONGEST_WORKER, WORKER};
use crate::plan::model::expand::member;
use crate::plan::model::plan_file::Placement;
use crate::plan::model::variants::ALL_WORKERS;
use crate::plan::text::tree::NodeId;

/// The workers by name, each group as one. `form` is that of the names.
pub fn workers(
    decoder: &Decoder<'_>,
    form: NewName,
    id: NodeId,
) -> Option<IndexMap<String, Placement>> {
    let what = "a mapping with a name for each worker, e.g. `w1: {}`";
    let fields = decoder.fields(id, what, false)?;
    if fields.entries().is_empty() {
        let problem = Problem::new(fields.place, "there are no workers");
        decoder.report(problem.help("name at least one, e.g. `w1: {}`"));
        return None;
    }
    let names: Vec<&str> = fields.entries().iter().map(|e| e.key.as_str()).collect();
    let mut workers = IndexMap::new();
    let mut rules = Rules::default();
    let mut places = Vec::new();
    for (index, entry) in fields.entries().iter().enumerate() {
        let name = At {
            value: entry.key.as_str(),
            place: entry.key_place,
        };
        if (form.reserved)().contains(&name.value) {
            let what = if name.value == ALL_WORKERS {
                format!("{} is every worker, in a variant", quote(name.value))
            } else {
                format!("{} is the name of netplan's own pod", quote(name.value))
            };
            decoder.report(Problem::new(name.place, what).help("give the worker another name"));
        }
        let fields = decoder.mapping(entry.value, &WORKER);
        let placement = fields.map(|fields| placement(decoder, &fields, &names, index, &mut rules));
        let placement = placement.unwrap_or_default();
        let number = if placement.one_per_node {
            LONGEST_WORKER - LONGEST_GROUP_NAME
        } else {
            0
        };
        decoder.dns_label(name, form.longest - number);
        places.push(name.place);
        workers.insert(entry.key.clone(), placement);
    }
    for problem in placement::check(&names, &rules.between, &rules.by_name, &rules.by_labels) {
        decoder.report(problem);
    }
    check_groups(decoder, &workers, &places, &rules.between);
    Some(workers)
}

/// What workers say of each other and of nodes.
#[derive(Default)]
struct Rules<'t> {
    between: Vec<placement::Rule>,
    by_name: Vec<Named<'t>>,
    by_labels: Vec<Labelled>,
}

/// Where the worker of this index sits.
fn placement<'t>(
    decoder: &Decoder<'t>,
    fields: &Fields<'_, 't>,
    names: &[&str],
    index: usize,
    rules: &mut Rules<'t>,
) -> Placement {
    let mut placement = Placement::default();
    let mut rule = |key, same, scope| {
        let found = decoder.reference(fields.value(key)?, "worker", names)?;
        let other = names.iter().position(|name| *name == found.value)?;
        rules.between.push(placement::Rule {
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
    if let Some(At { value, place }) = fields.text("node") {
        rules.by_name.push(Named {
            worker: index,
            node: value,
            place,
        });
        placement.node = Some(value.to_owned());
    }
    placement.pods = worker_pods(decoder, fields);
    if let Some(id) = fields.value("node_selector") {
        rules.by_labels.push(Labelled {
            worker: index,
            labels: placement.pods.node_selector.clone(),
            place: decoder.place(id),
        });
    }
    placement.one_per_node = fields.boolean("one_per_node");
    placement.count = fields.small_number("count");
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
    let per_node = fields.key_place("one_per_node");
    if placement.one_per_node {
        for key in ["same_node_as", "node"] {
            if let Some((place, per_node)) = fields.key_place(key).zip(per_node) {
                let what = format!("`one_per_node` workers cannot share a node by `{key}`");
                decoder.report(
                    Problem::new(place, what)
                        .related(per_node, "each on a node of its own")
                        .help("choose nodes by `node_selector`, or exclude nodes by `other_node_than`"),
                );
            }
        }
    } else if let Some(place) = fields.key_place("count") {
        let what = "only a group has a `count`";
        let help = "write `one_per_node: true` beside it, or name each worker";
        decoder.report(Problem::new(place, what).help(help));
    }
    placement
}

/// No rule is about a group, and no worker has the name of one of a group.
fn check_groups(
    decoder: &Decoder<'_>,
    workers: &IndexMap<String, Placement>,
    places: &[Place],
    rules: &[placement::Rule],
) {
    let at = |index: usize| workers.get_index(index);
    for rule in rules {
        if let Some((name, group)) = at(rule.other)
            && group.one_per_node
            && rule.other != rule.worker
        {
            let what = format!("{} is a group of workers, on many nodes", quote(name));
            let help = "a rule is about a single worker: let the group keep off that one, by \
                        `other_node_than` in the group";
            decoder.report(Problem::new(rule.place, what).help(help));
        }
    }
    for ((name, _), place) in workers.iter().zip(places) {
        let group = workers
            .iter()
            .position(|(group, placement)| placement.one_per_node && member(name, group).is_some());
        if let Some((group, first)) = group.and_then(|group| at(group).zip(places.get(group))) {
            let what = format!("{} is the name of a worker of the group", quote(name));
            decoder.report(
                Problem::new(*place, what)
                    .related(
                        *first,
                        format!("has the workers `{0}-1`, `{0}-2` and so on", group.0),
                    )
                    .help("give the worker another name"),
            );
        }
    }
}

/// The workers that paths may name.
#[derive(Debug)]
pub struct KnownWorkers<'w> {
    workers: &'w IndexMap<String, Placement>,
}

impl<'w> KnownWorkers<'w> {
    pub fn new(workers: &'w IndexMap<String, Placement>) -> Self {
        Self { workers }
    }

    /// The group that a worker belongs to, or the worker itself.
    pub fn group_of<'n>(&self, name: &'n str) -> &'n str {
        self.groups()
            .find(|(group, _)| member(name, group).is_some())
            .and_then(|(group, _)| name.get(..group.len()))
            .unwrap_or(name)
    }

    fn groups(&self) -> impl Iterator<Item = (&'w str, Option<u32>)> + use<'w> {
        let groups = self.workers.iter().filter(|(_, p)| p.one_per_node);
        groups.map(|(name, placement)| (name.as_str(), placement.count))
    }

    /// A single worker that a path goes from or to.
    pub fn single<'t>(&self, decoder: &Decoder<'t>, id: NodeId) -> Option<At<&'t str>> {
        let name = decoder.text(id)?;
        let (what, help) =
            if let Some((group, _)) = self.groups().find(|(group, _)| *group == name.value) {
                let what = format!("`{group}` is a group of workers");
                let help = format!(
                    "for all its pairs write the path `mesh: {{ workers: {group}, via: pod_ip }}`; \
                 for one of its workers `{group}-1`"
                );
                (what, help)
            } else if let Some((group, count)) = self
                .groups()
                .find(|(group, _)| member(name.value, group).is_some())
            {
                match count {
                    Some(count) if member(name.value, group) <= Some(count) => return Some(name),
                    Some(count) => (
                        format!("there is no worker named {}", quote(name.value)),
                        format!("`{group}` has the workers `{group}-1` to `{group}-{count}`"),
                    ),
                    None => (
                        format!(
                            "whether there is {} depends on the cluster",
                            quote(name.value)
                        ),
                        format!("give `{group}` a `count`, to name one of its workers"),
                    ),
                }
            } else {
                let known: Vec<&str> = self.workers.keys().map(String::as_str).collect();
                return decoder.reference(id, "worker", &known);
            };
        decoder.report(Problem::new(name.place, what).help(help));
        None
    }

    /// The group of a mesh.
    pub fn group<'t>(&self, decoder: &Decoder<'t>, id: NodeId) -> Option<At<&'t str>> {
        let name = decoder.text(id)?;
        if self.groups().any(|(group, _)| group == name.value) {
            return Some(name);
        }
        let is_single = self.workers.contains_key(name.value);
        let what = if is_single {
            format!("{} is a single worker", quote(name.value))
        } else {
            format!("there is no group of workers named {}", quote(name.value))
        };
        let problem = Problem::new(name.place, what);
        let near = did_you_mean(name.value, self.groups().map(|(group, _)| group));
        decoder.report(match near {
            Some(word) => problem.label(format!("did you mean `{word}`?")),
            None => problem.help(format!(
                "a mesh is one of a group: write `{}: {{ one_per_node: true }}` in `workers:`",
                if is_single { name.value } else { "mesh" }
            )),
        });
        None
    }

    /// How many workers a group has, when a group without `count` has `nodes`.
    pub fn size(&self, group: &str, nodes: u32) -> u32 {
        let found = self.groups().find(|(name, _)| *name == group);
        found.map_or(0, |(_, count)| count.unwrap_or(nodes))
    }
}

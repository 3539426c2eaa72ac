//! The ways for traffic to go: paths, and meshes between every two workers of a group.

use serde::Serialize;

use super::choice::Choice;
use super::expect::Expectations;
use super::family::Family;
use super::variants::VARIANT_MARK;

/// One way for traffic to go: from a worker, to a worker, by an address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Path {
    /// Unique in the plan.
    pub name: String,
    /// How reports and `result.csv` call it.
    pub label: String,
    /// The worker that runs the tool's client.
    pub from: String,
    /// The worker that runs the tool's server; the same as `from` for a hairpin.
    pub to: String,
    /// The address that the client dials.
    pub via: Via,
    /// The family of the address; `None` leaves it to [`Plan::family_of`](super::plan::Plan::family_of).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// What is expected of every test on this path.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
    /// Index of the variant whose workers it joins, in an expanded [`Plan`](super::plan::Plan); 0 is the base.
    #[serde(skip)]
    pub variant: usize,
}

impl Path {
    /// Its name without the variant: the same for each variant of a path.
    #[must_use]
    pub fn plain_name(&self) -> &str {
        let marked = self.name.rsplit_once(VARIANT_MARK);
        let marked = marked.filter(|_| self.variant > 0);
        marked.map_or(&*self.name, |(name, _)| name)
    }
}

/// By which address traffic reaches its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    PodIp,
    ClusterIp,
    Host,
}

impl Choice for Via {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::PodIp, "The destination pod's own address."),
        (
            Self::ClusterIp,
            "The virtual IP of the destination's Service, translated on the client's node.",
        ),
        (
            Self::Host,
            "The destination's node: both workers run on their hosts' networks, as a baseline without the pod network. Only on Kubernetes.",
        ),
    ];
}

/// Paths between every two workers of a group, named `<name>-<from>-<to>`, e.g. `mesh-3-7`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mesh {
    /// What its paths' names begin with.
    pub name: String,
    /// What its paths' labels begin with.
    pub label: String,
    /// The group, of workers with `one_per_node`.
    pub workers: String,
    /// The address that the clients dial.
    pub via: Via,
    /// The family of the addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Each pair is measured in both directions.
    pub both_directions: bool,
    /// What is expected of every test on these paths.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

/// An item of `paths:` as it is written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PathEntry {
    /// One way for traffic to go.
    Path(Path),
    /// Many.
    Mesh(MeshEntry),
}

/// Paths between every two workers of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeshEntry {
    pub mesh: Mesh,
}

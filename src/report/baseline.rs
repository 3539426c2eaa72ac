//! Each path beside its plain counterpart: what a virtual IP, a hairpin or the pod network costs.

use super::figures::Peers;
use super::fold::{CellReport, Report};
use crate::plan::{Family, Path, Plan, Via};
use crate::statistics::Ratio;

/// What tells a path from its plain counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The same ends, by virtual IP and by pod IP.
    VirtualIp,
    /// A pod to itself by its virtual IP, and to it by pod IP from its own node.
    Hairpin,
    /// The same nodes, over the pod network and over the hosts'.
    PodNetwork,
    /// The same ends by the same address, in IPv6 and in IPv4.
    AddressFamily,
}

/// A path with its plain counterpart; both are indices into the plan's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub path: usize,
    pub plain: usize,
    pub difference: Difference,
}

/// A measured cell beside the one of the same test and parameters on the plain path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside<'a> {
    pub pair: Pair,
    pub cell: &'a CellReport,
    pub plain: &'a CellReport,
    /// Of the headline metric's means.
    pub ratio: Ratio,
}

impl Difference {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Difference::VirtualIp => "virtual_ip",
            Difference::Hairpin => "hairpin",
            Difference::PodNetwork => "pod_network",
            Difference::AddressFamily => "address_family",
        }
    }
}

impl Beside<'_> {
    /// Whether the interval leaves open that both are alike. None without an interval.
    #[must_use]
    pub fn may_be_alike(&self) -> Option<bool> {
        Some(self.ratio.interval?.contains(1.0))
    }
}

/// The paths of a plan that have a plain counterpart in it. Where workers sit is what the plan says
/// of it, not what a run found.
#[must_use]
pub fn counterparts(plan: &Plan) -> Vec<Pair> {
    let all = plan.paths.iter().enumerate();
    all.filter_map(|(path, of)| {
        let (difference, without) = counterpart(plan, of)?;
        Some(Pair {
            path,
            plain: without,
            difference,
        })
    })
    .collect()
}

fn counterpart(plan: &Plan, of: &Path) -> Option<(Difference, usize)> {
    let family = |path: &Path| plan.family_of(path);
    if of.family == Some(Family::Ipv6) {
        // A path that names no family is IPv4, unless the cluster's first family is IPv6.
        let without = plan.paths.iter().position(|p| {
            p.variant == of.variant
                && family(p) != Some(Family::Ipv6)
                && (p.via, &p.from, &p.to) == (of.via, &of.from, &of.to)
        });
        if let Some(without) = without {
            return Some((Difference::AddressFamily, without));
        }
    }
    let find = |fits: &dyn Fn(&Path) -> bool| {
        let mut paths = plan.paths.iter();
        paths
            .position(|path| path.variant == of.variant && family(path) == family(of) && fits(path))
    };
    let together = |a: &str, b: &str| same_node(plan, a, b);
    match of.via {
        Via::ClusterIp if of.from == of.to => {
            let local =
                |p: &Path| p.via == Via::PodIp && p.from != p.to && together(&p.from, &p.to);
            find(&|p| local(p) && p.to == of.to)
                .or_else(|| find(&|p| local(p) && together(&p.to, &of.to)))
                .map(|plain| (Difference::Hairpin, plain))
        }
        Via::ClusterIp => find(&|p| p.via == Via::PodIp && p.from == of.from && p.to == of.to)
            .map(|plain| (Difference::VirtualIp, plain)),
        Via::PodIp => {
            find(&|p| p.via == Via::Host && together(&p.from, &of.from) && together(&p.to, &of.to))
                .map(|plain| (Difference::PodNetwork, plain))
        }
        Via::Host => None,
    }
}

/// Whether the plan puts two workers onto one node.
fn same_node(plan: &Plan, a: &str, b: &str) -> bool {
    let (a, b) = (seat(plan, a), seat(plan, b));
    let node = |worker: &str| plan.workers.get(worker)?.node.as_deref();
    a == b || node(a).is_some_and(|named| node(b) == Some(named))
}

/// The worker beside which this one sits in the end, or itself.
fn seat<'a>(plan: &'a Plan, worker: &'a str) -> &'a str {
    let mut at = worker;
    // A chain has no circle, or the plan would have been refused; this ends in any case.
    for _ in 0..plan.workers.len() {
        let beside = plan.workers.get(at).and_then(|w| w.same_node_as.as_deref());
        match beside {
            Some(other) => at = other,
            None => break,
        }
    }
    at
}

/// Every measured cell that has a measured counterpart, in the schedule's order.
#[must_use]
pub fn compare(report: &Report) -> Vec<Beside<'_>> {
    let known = counterparts(&report.plan);
    if known.is_empty() {
        return Vec::new();
    }
    let peers = Peers::new(report);
    report
        .cells
        .iter()
        .filter_map(|cell| {
            let (row, test, _) = report.row(cell.row)?;
            let pair = known.iter().find(|pair| pair.path == row.path)?;
            let plain = peers.get(row.test, pair.plain, &cell.params)?;
            let ratio = report.ratio(cell, plain, &test.tool.headline())?;
            Some(Beside {
                pair: *pair,
                cell,
                plain,
                ratio,
            })
        })
        .collect()
}

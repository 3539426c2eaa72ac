//! A scheduler that knows no pods to come keeps the rules of a plan, whichever pod comes first.

use proptest::prelude::*;

use super::*;
use crate::plan::Placement;
use crate::render::families::WorkerFamilies;

const NODES: usize = 4;

/// Four nodes in two zones.
fn zone(node: usize) -> usize {
    node / 2
}

fn with_affinity(placements: &[Placement]) -> Vec<Affinity> {
    const NAMES: [&str; 5] = ["w0", "w1", "w2", "w3", "w4"];
    let workers: Vec<WorkerPorts<'_>> = placements
        .iter()
        .zip(NAMES)
        .map(|(placement, name)| WorkerPorts {
            name,
            placement,
            host_network: false,
            ports: Vec::new(),
            families: WorkerFamilies::default(),
            variant: None,
        })
        .collect();
    affinities(&workers)
}

fn finds(neighbours: &Neighbours, name: usize, other: &Affinity) -> bool {
    match neighbours.label {
        WORKER => neighbours.value == format!("w{name}"),
        label => other.labels.get(label) == Some(&neighbours.value),
    }
}

fn is_near(scope: Scope, one: usize, other: usize) -> bool {
    match scope {
        Scope::Node => one == other,
        Scope::Zone => zone(one) == zone(other),
    }
}

/// The nodes that Kubernetes would take for a pod, given where the others are.
fn open(affinities: &[Affinity], at: &[Option<usize>], pod: usize) -> Vec<usize> {
    let others: Vec<(usize, usize)> = at
        .iter()
        .enumerate()
        .filter_map(|(other, node)| Some((other, (*node)?)))
        .collect();
    let near = |node: usize| {
        let Some(near) = &affinities[pod].near else {
            return true;
        };
        let found: Vec<_> = others
            .iter()
            .filter(|(other, _)| finds(near, *other, &affinities[*other]))
            .collect();
        found.iter().any(|(_, at)| is_near(near.scope, *at, node))
            || found.is_empty() && finds(near, pod, &affinities[pod])
    };
    let away = |node: usize| {
        others.iter().all(|(other, at)| {
            let keeps_off = |one: usize, from: usize| {
                affinities[one]
                    .far
                    .iter()
                    .any(|far| finds(far, from, &affinities[from]) && is_near(far.scope, *at, node))
            };
            !keeps_off(pod, *other) && !keeps_off(*other, pod)
        })
    };
    (0..NODES)
        .filter(|node| near(*node) && away(*node))
        .collect()
}

/// Places what has no node, whichever pod comes first. Gives whether all could be placed.
fn fill(
    affinities: &[Affinity],
    at: &mut [Option<usize>],
    choices: &mut impl Iterator<Item = usize>,
) -> bool {
    loop {
        let free: Vec<(usize, Vec<usize>)> = (0..at.len())
            .filter(|pod| at[*pod].is_none())
            .map(|pod| (pod, open(affinities, at, pod)))
            .filter(|(_, open)| !open.is_empty())
            .collect();
        if free.is_empty() {
            return at.iter().all(Option::is_some);
        }
        let (pod, open) = &free[choices.next().unwrap_or(0) % free.len()];
        at[*pod] = Some(open[choices.next().unwrap_or(0) % open.len()]);
    }
}

fn rule_holds(placements: &[Placement], at: &[Option<usize>]) -> Result<(), TestCaseError> {
    let node = |name: &str| at[name[1..].parse::<usize>().unwrap()].unwrap();
    for (worker, placement) in placements.iter().enumerate() {
        let own = at[worker].unwrap();
        for (rule, scope, same) in [
            (&placement.same_node_as, Scope::Node, true),
            (&placement.other_node_than, Scope::Node, false),
            (&placement.same_zone_as, Scope::Zone, true),
            (&placement.other_zone_than, Scope::Zone, false),
        ] {
            if let Some(other) = rule {
                let holds = is_near(scope, own, node(other)) == same;
                prop_assert!(holds, "w{} and {}: {:?}", worker, other, at);
            }
        }
    }
    Ok(())
}

/// Rules without circles or contradictions: those that these nodes keep.
fn placements(zones: bool) -> impl Strategy<Value = Vec<Placement>> {
    let rules = prop::collection::vec((0_usize..4, any::<prop::sample::Index>()), 5);
    let nodes = prop::collection::vec(0..NODES, 5);
    (rules, nodes).prop_map(move |(rules, nodes)| {
        let rule = |(worker, (kind, other)): (usize, (usize, prop::sample::Index))| {
            let mut placement = Placement::default();
            if worker == 0 {
                return placement;
            }
            let other = other.index(worker);
            let name = Some(format!("w{other}"));
            match (kind, zones) {
                (0, _) if nodes[worker] == nodes[other] => placement.same_node_as = name,
                (1, _) if nodes[worker] != nodes[other] => placement.other_node_than = name,
                (2, true) if is_near(Scope::Zone, nodes[worker], nodes[other]) => {
                    placement.same_zone_as = name;
                }
                (3, true) if !is_near(Scope::Zone, nodes[worker], nodes[other]) => {
                    placement.other_zone_than = name;
                }
                _ => {}
            }
            placement
        };
        rules.into_iter().enumerate().map(rule).collect()
    })
}

proptest! {
    #[test]
    fn rules_hold_whoever_comes_first_and_comes_back(
        placements in placements(false),
        choices in prop::collection::vec(0_usize..100, 40),
        evicted in prop::collection::vec(any::<bool>(), 5),
    ) {
        let affinities = with_affinity(&placements);
        let mut choices = choices.into_iter();
        let mut at = vec![None; placements.len()];
        // There is a node for each: a group takes one.
        prop_assume!(fill(&affinities, &mut at, &mut choices));
        rule_holds(&placements, &at)?;
        for (node, evicted) in at.iter_mut().zip(evicted) {
            if evicted {
                *node = None;
            }
        }
        if fill(&affinities, &mut at, &mut choices) {
            rule_holds(&placements, &at)?;
        }
    }

    #[test]
    fn rules_about_zones_hold_whoever_comes_first(
        placements in placements(true),
        choices in prop::collection::vec(0_usize..100, 20),
    ) {
        let mut at = vec![None; placements.len()];
        if fill(&with_affinity(&placements), &mut at, &mut choices.into_iter()) {
            rule_holds(&placements, &at)?;
        }
    }

    #[test]
    fn two_nodes_for_each_group_are_always_enough(
        placements in placements(false),
        choices in prop::collection::vec(0_usize..100, 40),
    ) {
        // Each group keeps away from two others at most, and there are four nodes.
        let affinities = with_affinity(&placements);
        prop_assume!(affinities.iter().all(|affinity| affinity.far.len() < 2));
        let away: usize = affinities.iter().map(|affinity| affinity.far.len()).sum();
        prop_assume!(away < NODES);
        let mut at = vec![None; placements.len()];
        prop_assert!(fill(&affinities, &mut at, &mut choices.into_iter()), "{:?}", at);
    }
}

fn placement(set: impl FnOnce(&mut Placement)) -> Placement {
    let mut placement = Placement::default();
    set(&mut placement);
    placement
}

#[test]
fn a_group_asks_for_what_each_of_it_asks() {
    let all = with_affinity(&[
        Placement::default(),
        placement(|p| {
            p.same_node_as = Some("w0".into());
            p.pods.node_selector.insert("disk".into(), "ssd".into());
            p.other_node_than = Some("w2".into());
        }),
        Placement::default(),
    ]);
    for one in &all[..2] {
        assert_eq!(one.node_selector["disk"], "ssd");
        assert_eq!(one.labels[NODE_GROUP], "w0");
        let far: Vec<_> = one.far.iter().map(|far| far.value.as_str()).collect();
        assert_eq!(far, ["w2"]);
    }
    assert_eq!(all[0].near.as_ref().unwrap().label, NODE_GROUP);
    assert_eq!(all[1].near.as_ref().unwrap().label, WORKER);
    assert_eq!(all[2], Affinity::default());
}

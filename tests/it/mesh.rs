//! Groups of workers and meshes of paths: what they expand to, and how they are written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fmt::Write as _;

use netplan::diag::Source;
use netplan::plan::{self, Plan, PlanFile};
use netplan::schedule::{Schedule, Selection, slots};
use netplan::tools;

use crate::support::snapshots;

fn load(text: &str) -> PlanFile {
    plan::load_file(&plan::Alone, Source::new("plan.yaml", text), &[]).unwrap()
}

fn mesh(count: &str, mesh: &str) -> Plan {
    mesh_file(count, mesh).expand()
}

fn mesh_file(count: &str, mesh: &str) -> PlanFile {
    let name = if mesh.contains("name: vip") {
        "vip"
    } else {
        "mesh"
    };
    let directions = if mesh.contains("both_directions") {
        ""
    } else {
        ", both_directions: false"
    };
    load(&format!(
        "version: 1
name: mesh
workers: {{ w1: {{}}, mesh: {{ one_per_node: true{count} }}, w2: {{ same_node_as: w1 }} }}
paths:
  - {{ name: near, from: w1, to: w2, via: pod_ip }}
  - mesh: {{ workers: mesh, via: pod_ip{mesh}{directions} }}
  - {{ name: hairpin, from: w1, to: w1, via: cluster_ip }}
tests: [{{ iperf3: {{}} }}, {{ netperf: {{ test: TCP_RR }}, paths: [hairpin, {name}] }}]
local: {{ nodes: 3 }}
"
    ))
}

#[test]
fn a_group_has_a_worker_for_each_node_and_its_mesh_every_pair() {
    let plan = mesh(", count: 4", "");
    let names: Vec<&str> = plan.workers.keys().map(String::as_str).collect();
    assert_eq!(names, ["w1", "mesh-1", "mesh-2", "mesh-3", "mesh-4", "w2"]);
    let mut text = String::new();
    for (path, slot) in plan.paths.iter().zip(slots(&plan)) {
        let _ = writeln!(
            text,
            "{}: {} to {}, slot {slot}",
            path.name, path.from, path.to
        );
    }
    let schedule = Schedule::new(&plan, &Selection::all());
    for cell in &schedule.cells {
        let _ = writeln!(text, "{}", schedule.id(&plan, cell).0);
    }
    snapshots().bind(|| insta::assert_snapshot!("mesh_of_4", text));
    assert!(!mesh_file(", count: 4", "").depends_on_nodes());
}

#[test]
fn the_cluster_says_how_many_workers_a_group_has() {
    let file = mesh_file("", "");
    assert!(file.depends_on_nodes());
    let local = file.expand();
    assert_eq!((local.workers.len(), local.paths.len()), (5, 5));
    let large = file.clone().with_nodes(12).unwrap().expand();
    assert_eq!((large.workers.len(), large.paths.len()), (14, 68));
    let counted = mesh_file(", count: 4", ", both_directions: true");
    assert_eq!(counted.expand().paths.len(), 14);
    assert_eq!(counted.clone().with_nodes(12).unwrap(), counted);
    let error = file.with_nodes(1).unwrap_err().to_string();
    assert!(
        error.starts_with("the mesh `mesh` needs two workers"),
        "{error}"
    );
}

#[test]
fn a_plan_with_a_mesh_is_written_as_one_and_read_again() {
    let file = mesh_file(
        "",
        ", name: vip, label: By VIP, expect: { throughput: '> 1 Mbit/s' }",
    );
    let file = file.with_nodes(500).unwrap();
    let text = file.to_yaml().unwrap();
    assert!(text.len() < 3_000, "{} bytes", text.len());
    assert_eq!(load(&text), file);
    let plan = file.expand();
    let (path, label) = (&plan.paths[1].name, &plan.paths[1].label);
    assert_eq!(
        (path.as_str(), label.as_str()),
        ("vip-1-500", "By VIP 1-500")
    );
}

#[test]
fn a_mesh_is_selected_by_its_name_and_offered_first() {
    let plan = mesh(", count: 20", "");
    let count = |only: &str| {
        Schedule::new(&plan, &Selection::parse(only, &plan).unwrap())
            .rows
            .len()
    };
    assert_eq!(count("path=mesh"), 2 * 190);
    assert_eq!(count("path=mesh|near"), 2 * 190 + 1);
    assert_eq!(count("path=mesh-1-2"), 2);
    let help = Selection::parse("path=far", &plan)
        .unwrap_err()
        .help
        .unwrap();
    assert!(
        help.starts_with("`path` can be `near`, `mesh`, `mesh-1-"),
        "{help}"
    );
}

#[test]
fn the_paths_of_a_mesh_to_a_worker_take_one_port_together() {
    let ports = |second: u16| {
        plan::load(
            Source::new(
                "plan.yaml",
                format!(
                    "version: 1
name: mesh
workers: {{ w: {{}}, mesh: {{ one_per_node: true, count: 200 }} }}
paths:
  - mesh: {{ workers: mesh, via: pod_ip }}
  - mesh: {{ name: back, workers: mesh, via: cluster_ip, both_directions: true }}
tools:
  t:
    ports:
      - {{ name: a, port: 5000, per_path: true }}
      - {{ name: b, port: {second}, per_path: true }}
    server: {{ command: [x, '{{{{ ports.a }}}}'], ready: exited }}
    client: {{ command: [x, '{{{{ ports.b }}}}'] }}
    metrics: {{ m: {{ json: /m, unit: count }} }}
tests: [t: {{}}]
"
                ),
            ),
            &[],
        )
    };
    let plan = ports(5002).unwrap();
    assert_eq!(slots(&plan).into_iter().max(), Some(1));
    let refused = ports(5001).unwrap_err().to_string();
    assert!(refused.contains("takes 2 numbers"), "{refused}");
}

#[test]
fn five_hundred_nodes_meet_in_499_full_rounds() {
    let plan = mesh(", count: 500", "");
    assert_eq!(plan.paths.len(), 124_752);
    let schedule = Schedule::new(
        &plan,
        &Selection::parse("test=iperf3-tcp,path=mesh-*", &plan).unwrap(),
    );
    let rounds: Vec<_> = schedule.rows.chunks(250).collect();
    assert_eq!(rounds.len(), 499);
    for round in rounds {
        let paths = round.iter().map(|row| &plan.paths[row.path]);
        let nodes: HashSet<&str> = paths.flat_map(|path| [&*path.from, &*path.to]).collect();
        assert_eq!(nodes.len(), 500);
    }
    let ports = tools::Ports::for_plan(&plan);
    assert_eq!(ports.worker("mesh-500").len(), ports.worker("mesh-1").len());
}

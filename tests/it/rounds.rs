//! Orders of samples and numbers of samples, by real runs on the local cluster.

use std::fs;
use std::path::{Path, PathBuf};

use netplan::results::{Event, EventKind, Outcome, journal};
use tempfile::TempDir;

use crate::support::{Netplan, installed, local_cluster, needs};

/// Runs a plan in a folder of its own to its good end.
struct Ran {
    folder: TempDir,
    stderr: String,
}

impl Ran {
    #[track_caller]
    fn new(plan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plan.yaml"), plan).unwrap();
        let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
        let stderr = Netplan::in_folder(&folder).args(run).run().expect(0).stderr;
        Self { folder, stderr }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn events(&self) -> Vec<Event> {
        journal::read(&self.out()).unwrap().events
    }

    /// The samples as they were taken: cell and number.
    fn samples(&self) -> Vec<(String, u32)> {
        let samples = self
            .events()
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Sample(sample) => Some((sample.cell.0, sample.sample)),
                _ => None,
            });
        samples.collect()
    }
}

/// Three cells on a worker by itself.
fn plan(head: &str, timing: &str) -> String {
    format!(
        "version: 1
name: rounds
{head}
workers: {{ w1: {{}} }}
paths: [{{ name: hairpin, from: w1, to: w1, via: cluster_ip }}]
defaults: {{ duration: 1s, {timing} }}
tests: [{{ name: t, iperf3: {{ mss: [500, 700, 900] }} }}]
"
    )
}

fn stored_plan(out: &Path) -> String {
    fs::read_to_string(out.join("plan.yaml")).unwrap()
}

#[test]
fn interleaved_cells_take_turns() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let ran = Ran::new(&plan("order: interleaved", "repeat: 2"));
    let cells = [500, 700, 900].map(|mss| format!("t/hairpin/mss={mss}"));
    let rounds = (1..=2).flat_map(|round| cells.iter().map(move |cell| (cell.clone(), round)));
    assert_eq!(ran.samples(), rounds.collect::<Vec<_>>());
    assert!(ran.stderr.contains("sample 2:"), "{}", ran.stderr);
}

#[test]
fn a_shuffled_run_records_the_seed_that_gives_its_order_again() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let ran = Ran::new(&plan("order: shuffled", "repeat: 2"));
    let samples = ran.samples();
    for round in [1, 2] {
        let mut cells: Vec<&str> = samples
            .iter()
            .filter(|(_, sample)| *sample == round)
            .map(|(cell, _)| cell.as_str())
            .collect();
        cells.sort_unstable();
        assert_eq!(
            cells,
            [500, 700, 900].map(|mss| format!("t/hairpin/mss={mss}"))
        );
    }
    assert!(samples[..3].iter().all(|(_, sample)| *sample == 1));
    let stored = stored_plan(&ran.out());
    assert!(stored.contains("\nseed: "), "{stored}");
    assert_eq!(Ran::new(&stored).samples(), samples);
}

#[test]
fn a_cell_is_measured_until_its_mean_is_known() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let ran = Ran::new(&plan("", "repeat: { min: 3, max: 5, until: 90% }"));
    let samples = ran.samples();
    for event in ran.events() {
        if let EventKind::CellEnded { cell, outcome } = event.kind {
            let Outcome::Measured {
                samples: n,
                reached,
                ..
            } = outcome
            else {
                panic!("{}: {outcome:?}", cell.0);
            };
            assert_eq!(
                samples.iter().filter(|(c, _)| *c == cell.0).count(),
                n as usize
            );
            assert!((3..=5).contains(&n));
            assert!(reached == Some(true) || (reached == Some(false) && n == 5));
        }
    }
}

/// Two pairs, each on a node of its own: their samples overlap, and never two of one pair.
#[test]
fn cells_on_disjoint_nodes_run_side_by_side() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let ran = Ran::new(
        "version: 1
name: beside
concurrency: disjoint-nodes
workers:
  a1: {}
  a2: { same_node_as: a1 }
  b1: { other_node_than: a1 }
  b2: { same_node_as: b1 }
paths:
  - { name: a, from: a1, to: a2, via: pod_ip }
  - { name: b, from: b1, to: b2, via: cluster_ip }
defaults: { duration: 2s }
tests: [{ name: t, iperf3: { mss: [500, 900] } }]
",
    );
    let mut running: Vec<String> = Vec::new();
    let mut overlaps = 0;
    for event in ran.events() {
        match event.kind {
            EventKind::SampleStarted { cell, .. } => {
                let path = cell.0.split('/').nth(1).unwrap().to_owned();
                assert!(!running.contains(&path), "{path} runs twice at once");
                overlaps += usize::from(!running.is_empty());
                running.push(path);
            }
            EventKind::Sample(sample) => running.retain(|path| *path != sample.path),
            _ => {}
        }
    }
    assert!(overlaps >= 2, "{overlaps}");
    assert_eq!(ran.samples().len(), 4);
}

#[test]
fn a_search_finds_the_rate_of_the_link() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let ran = Ran::new(
        "version: 1
name: find
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: p, from: w1, to: w2, via: pod_ip }]
local: { links: { rate: 50 Mbit/s } }
defaults: { duration: 1s }
tests:
  - name: t
    iperf3: { protocol: udp }
    find: { rate: max, from: 10 Mbit/s, to: 400 Mbit/s, within: 10%, while: 'lost_percent <= 2' }
",
    );
    let found = ran.events().into_iter().find_map(|event| match event.kind {
        EventKind::CellEnded {
            outcome: Outcome::Measured { found, .. },
            ..
        } => found,
        _ => None,
    });
    let found = found.expect("the search has ended");
    // 1460 of the 1502 bytes that the link counts, less what the search leaves open; a busy machine
    // may lose datagrams at less.
    let mbit = found.rate_bps as f64 / 1e6;
    assert!(
        (10.0..52.0).contains(&mbit) && !found.at_bound,
        "{mbit} Mbit/s"
    );
    let csv = fs::read_to_string(ran.out().join("result.csv")).unwrap();
    let received: f64 = csv
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!((received - mbit).abs() < 0.1 * mbit, "{csv}");
    let samples = fs::read_to_string(ran.out().join("samples.csv")).unwrap();
    assert!(
        samples.lines().next().unwrap().contains("found_rate_bps"),
        "{samples}"
    );
    assert!(
        samples.contains(&format!("rate={}", found.rate_bps)),
        "{samples}"
    );
}

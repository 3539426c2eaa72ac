//! Variants: ratios by pairs are right and worth it, by simulation; ids, names and placement of variants' cells.

use netplan::diag::Source;
use netplan::output::csv::samples;
use netplan::plan::{self, Plan, Repeat};
use netplan::report::Report;
use netplan::schedule::{Schedule, Selection};

use crate::pairs_simulation::{Drift, Noise, Outcomes, Setting, power, runs};

/// Drift of ±10 % in 20 rounds.
const WAVE: Drift = Drift::Wave {
    height: 0.1,
    rounds: 20.0,
};
const DEVIATION: f64 = 0.03;
const NORMAL: (Noise, Drift) = (Noise::Normal(DEVIATION), WAVE);
const RECORDED: (Noise, Drift) = (Noise::Recorded, Drift::Recorded);

fn simulated(rounds: usize, (noise, drift): (Noise, Drift), cost: f64, count: u32) -> Outcomes {
    let setting = Setting {
        rounds,
        noise,
        drift,
        cost,
    };
    runs(setting, count)
}

#[test]
fn a_known_cost_is_found_as_often_as_theory_says() {
    for (machine, cost) in [(NORMAL, 0.02), (RECORDED, 0.1)] {
        for rounds in [6, 10, 20, 60] {
            let found = simulated(rounds, machine, cost, 2000);
            let theory = power((-cost).ln_1p(), machine.0.deviation() * 2f64.sqrt(), rounds);
            let share = found.share(found.rejected);
            let case = format!("{machine:?}, {rounds} rounds");
            assert!(
                (share - theory).abs() < 0.03,
                "{case}: {share} and {theory}"
            );
            let covered = found.share(found.covered);
            assert!((covered - 0.95).abs() < 0.02, "{case}: {covered}");
        }
    }
}

#[test]
fn equal_variants_raise_few_alarms_and_power_is_what_is_reported() {
    for machine in [NORMAL, RECORDED] {
        for rounds in [6, 10, 20] {
            let found = simulated(rounds, machine, 0.0, 2000);
            let alarms = found.share(found.rejected);
            let case = format!("{machine:?}, {rounds} rounds");
            assert!(alarms <= 0.065, "{case}: {alarms}");
            let power = found.share(found.found_at_reported);
            assert!((power - 0.9).abs() < 0.03, "{case}: {power}");
        }
    }
}

#[test]
fn pairing_halves_the_interval_under_load_and_costs_little_on_a_quiet_machine() {
    let phases = Drift::Phases {
        deviation: 3.0 * DEVIATION,
        rounds: 5,
    };
    let loaded = simulated(20, (NORMAL.0, phases), 0.0, 500).median_width_ratio();
    assert!(loaded <= 0.5, "{loaded}");
    let quiet = simulated(20, (NORMAL.0, Drift::None), 0.0, 500).median_width_ratio();
    assert!(quiet <= 1.1, "{quiet}");
}

const WITHOUT: &str = "version: 1
name: p
workers: { w1: {}, w2: { same_node_as: w1 }, mesh: { one_per_node: true, count: 3 } }
paths:
  - { name: pod, from: w2, to: w1, via: pod_ip }
  - mesh: { workers: mesh, via: pod_ip }
tests: [iperf3: { mss: [100, 200] }, netperf: { test: TCP_RR }]
";

fn load(text: &str) -> Plan {
    plan::load(Source::new("p.yaml", text), &[]).unwrap()
}

fn ids(plan: &Plan, only: &str) -> Vec<String> {
    let only = Selection::parse(only, plan).unwrap();
    let schedule = Schedule::new(plan, &only);
    let ids = schedule.cells.iter();
    ids.map(|cell| schedule.id(plan, cell).0).collect()
}

fn with_variants(variants: &str) -> Plan {
    load(&format!("{WITHOUT}variants: {variants}\n"))
}

#[test]
fn the_cells_of_the_base_have_the_ids_that_they_have_without_variants() {
    let variants = with_variants("{ plain: {}, fast: { tests: { iperf3-tcp: { streams: 4 } } } }");
    let without = ids(&load(WITHOUT), "");
    assert_eq!(ids(&variants, "variant=plain"), without);
    let fast = ids(&variants, "variant=fast");
    assert_eq!(fast.len(), without.len());
    assert!(
        fast.contains(&"iperf3-tcp/pod@fast/mss=100".to_owned()),
        "{fast:?}"
    );
    assert!(
        fast.contains(&"netperf-tcp-rr/mesh-3-1@fast".to_owned()),
        "{fast:?}"
    );
    assert_eq!(ids(&variants, "").len(), 2 * without.len());
    assert_eq!(ids(&variants, "path=pod,variant=fast,streams=4").len(), 2);
    let path = Selection::parse("variant=fats", &variants).unwrap_err();
    assert!(path.to_string().contains("did you mean `fast`?"), "{path}");
    assert!(Selection::parse("variant=fast", &load(WITHOUT)).is_err());
}

#[test]
fn the_workers_of_a_variant_follow_the_base_unless_it_chooses_nodes() {
    let plan = with_variants(
        "{ plain: { workers: { w1: { labels: { a: b } } } }, \
           fast: { workers: { all: { labels: { a: x, c: d } }, mesh: { labels: { a: y } } } }, \
           there: { workers: { w2: { node_selector: { disk: ssd } } } } }",
    );
    let worker = |name: &str| &plan.workers[name];
    assert_eq!(plan.workers.len(), 15);
    assert_eq!(worker("w2-fast").same_node_as.as_deref(), Some("w2"));
    assert_eq!(
        worker("mesh-fast-2").same_node_as.as_deref(),
        Some("mesh-2")
    );
    assert_eq!(worker("w2-there").same_node_as.as_deref(), Some("w1-there"));
    assert_eq!(worker("w1-there").same_node_as.as_deref(), Some("w1"));
    assert_eq!(worker("w1").pods.labels["a"], "b");
    assert_eq!(worker("w1-fast").pods.labels["a"], "x");
    assert_eq!(worker("mesh-fast-2").pods.labels["a"], "y");
    assert_eq!(worker("mesh-fast-2").pods.labels["c"], "d");
    assert!(worker("w2").pods.labels.is_empty());
}

#[test]
fn a_resolved_plan_with_variants_reads_back_as_it_is() {
    let text = format!(
        "{WITHOUT}variants:
  plain: {{}}
  fast: {{ tests: {{ iperf3-tcp: {{ streams: 4, congestion: bbr }} }} }}
  small: {{ workers: {{ all: {{ resources: {{ limits: {{ cpu: 500m }} }}, host_network: false }} }} }}
defaults: {{ repeat: {{ min: 6, max: 12, until: 1% of plain }} }}
"
    );
    let file = plan::load_file(&plan::Alone, Source::new("p.yaml", &*text), &[]).unwrap();
    let resolved = file.to_yaml().unwrap();
    let again = plan::load_file(&plan::Alone, Source::new("p.yaml", &*resolved), &[]).unwrap();
    assert_eq!(again.expand(), file.expand(), "{resolved}");
}

#[test]
fn a_search_inherits_no_ratio_to_stop_at() {
    let text = format!(
        "{}variants: {{ plain: {{}}, fast: {{}} }}
defaults: {{ repeat: {{ min: 6, max: 12, until: 1% of plain }} }}
",
        WITHOUT.replace(
            "netperf: { test: TCP_RR }",
            "{ name: search, iperf3: { protocol: udp, datagram: 1400 }, find: { rate: max, from: 1 Mbit/s, \
             to: 10 Gbit/s, within: 5%, while: 'lost_percent <= 0.1' } }"
        )
    );
    let file = plan::load_file(&plan::Alone, Source::new("p.yaml", &*text), &[]).unwrap();
    let resolved = file.to_yaml().unwrap();
    let again = plan::load_file(&plan::Alone, Source::new("p.yaml", &*resolved), &[]).unwrap();
    assert_eq!(again.expand(), file.expand(), "{resolved}");
    let untils = load(&text)
        .tests
        .into_iter()
        .map(|test| match test.timing.repeat {
            Repeat::Until(until) => until.until.of,
            Repeat::Times(_) => None,
        });
    assert_eq!(untils.collect::<Vec<_>>(), [Some("plain".to_owned()), None]);
}

#[test]
fn samples_name_their_variant_where_there_are_some() {
    let rendered = |plan: Plan| {
        let schedule = Schedule::new(&plan, &Selection::all());
        let report = Report::fold(&[], plan, schedule);
        String::from_utf8(samples::render(&report).unwrap()).unwrap()
    };
    let with = rendered(with_variants("{ plain: {}, fast: {} }"));
    assert!(
        with.starts_with("run,cell,row,test,path,variant,tool,"),
        "{with}"
    );
    assert!(with.contains(",iperf3-tcp,pod@fast,fast,iperf3,"), "{with}");
    assert!(with.contains(",iperf3-tcp,pod,plain,iperf3,"), "{with}");
    // The reader wants as many fields in each row.
    let mut reader = csv::Reader::from_reader(with.as_bytes());
    assert!(reader.records().all(|row| row.is_ok()), "{with}");
    let without = rendered(load(WITHOUT));
    assert!(
        without.starts_with("run,cell,row,test,path,tool,"),
        "{without}"
    );
}

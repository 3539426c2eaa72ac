//! Rates within samples, by real runs on the local cluster.

use std::fs;

use netplan::results::{EventKind, journal};

use crate::support::{Netplan, installed, local_cluster, needs};

const PLAN: &str = "version: 1
name: within
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: remote, from: w1, to: w2, via: pod_ip, expect: { throughput.lowest: '>= 1 bit/s' } }]
local: { links: { rate: 20 Mbit/s } }
tests:
  - { name: tcp, iperf3: { streams: 2 }, intervals: 250ms, duration: 2s, warmup: 1s }
  - { name: rr, netperf: { test: TCP_RR }, intervals: 100ms, duration: 1s }
  - { name: without, iperf3: {}, duration: 1s }
";

#[test]
fn rates_within_samples_are_in_the_journal_the_tables_and_the_page() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let ended = Netplan::in_folder(&folder).args(run).run().expect(0);
    assert!(ended.stdout.contains("within samples"), "{}", ended.stdout);
    let out = folder.path().join("out");

    let events = journal::read(&out).unwrap().events;
    let samples: Vec<_> = events
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Sample(sample) => Some(sample),
            _ => None,
        })
        .collect();
    let [tcp, rr, without] = &samples[..] else {
        panic!("{samples:?}")
    };
    let tcp_series = tcp.series.as_ref().unwrap();
    // Without the one that spans the end of the warm-up.
    let tcp_intervals: Vec<_> = tcp_series.intervals().collect();
    assert!((5..=8).contains(&tcp_intervals.len()), "{tcp_intervals:?}");
    for interval in tcp_series.counted() {
        assert!(interval.rate <= 20e6, "{interval:?}");
    }
    let rr_series = rr.series.as_ref().unwrap();
    assert_eq!(rr_series.metric(), "transactions_per_s");
    assert_eq!(
        rr.metrics.get("transactions_per_s.lowest"),
        rr_series.lowest()
    );
    assert_eq!(without.series, None);
    assert!(
        !without
            .command
            .iter()
            .any(|word| &**word == "--get-server-output")
    );

    let csv = fs::read_to_string(out.join("series.csv")).unwrap();
    let rows = tcp_intervals.len() + rr_series.intervals().count();
    assert_eq!(csv.lines().count(), 1 + rows, "{csv}");
    assert!(csv.contains(",tcp,remote,1,throughput_bps,"), "{csv}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Throughput within samples"));
    let samples = fs::read_to_string(out.join("samples.csv")).unwrap();
    let titles = samples.lines().next().unwrap();
    assert!(titles.contains("throughput_bps.lowest"), "{titles}");
}

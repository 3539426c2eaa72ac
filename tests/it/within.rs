//! Rates within samples, by real runs on the local cluster.

use std::fs;

use netplan::results::Sample;

use crate::support::{Netplan, installed, local_cluster, needs, samples};

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

    let samples = samples(&out);
    let [tcp, rr, without] = &samples[..] else {
        panic!("{samples:?}")
    };
    let [tcp_series] = &tcp.series[..] else {
        panic!("{:?}", tcp.series)
    };
    // Without the one that spans the end of the warm-up.
    let tcp_intervals: Vec<_> = tcp_series.intervals().collect();
    assert!((5..=8).contains(&tcp_intervals.len()), "{tcp_intervals:?}");
    for interval in tcp_series.counted() {
        assert!(interval.value <= 20e6, "{interval:?}");
    }
    let [rr_series] = &rr.series[..] else {
        panic!("{:?}", rr.series)
    };
    assert_eq!(rr_series.metric(), "transactions_per_s");
    assert_eq!(
        rr.metrics.get("transactions_per_s.lowest"),
        rr_series.lowest()
    );
    assert_eq!(without.series, []);
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

const DIRECTIONS: &str = "version: 1
name: directions
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: remote, from: w1, to: w2, via: pod_ip }]
local: { links: { rate: 20 Mbit/s } }
defaults: { duration: 2s, warmup: 1s }
tests:
  - { name: tcp, iperf3: { direction: [reverse, both] }, intervals: 250ms, expect: { throughput.lowest: '>= 1 bit/s' } }
  - { name: udp, iperf3: { protocol: udp, direction: both, streams: 2, rate: 4 Mbit/s }, intervals: 250ms }
";

#[test]
fn each_direction_has_the_rates_at_which_it_arrives() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), DIRECTIONS).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let ended = Netplan::in_folder(&folder).args(run).run().expect(0);
    let table = ended.stdout;
    assert!(table.contains("within samples"), "{table}");
    let out = folder.path().join("out");
    let samples = samples(&out);
    let [reverse, both, udp] = &samples[..] else {
        panic!("{samples:?}")
    };
    let metrics = |sample: &Sample| -> Vec<String> {
        let series = sample.series.iter();
        series.map(|series| series.metric().to_owned()).collect()
    };
    assert_eq!(metrics(reverse), ["throughput_bps"]);
    let directions = ["throughput_bps.forward", "throughput_bps.reverse"];
    assert_eq!(metrics(both), directions);
    assert_eq!(metrics(udp), directions);
    for sample in &samples {
        let mut lowest = f64::INFINITY;
        for series in &sample.series {
            let intervals: Vec<_> = series.intervals().collect();
            assert!((5..=8).contains(&intervals.len()), "{intervals:?}");
            // What arrived: not more than the link carries, while a sender's intervals are far from it.
            assert!(
                series.counted().iter().all(|one| one.value <= 20e6),
                "{intervals:?}"
            );
            lowest = lowest.min(series.lowest().unwrap());
            let bits: f64 = intervals.iter().map(|one| one.value * one.length_s()).sum();
            let end_s = intervals.last().unwrap().end_s;
            let mean = sample.metrics.get(series.metric()).unwrap() * end_s;
            assert!(
                (0.5..1.5).contains(&(bits / mean)),
                "{bits} of {mean}: {intervals:?}"
            );
        }
        let figure = sample.metrics.get("throughput_bps.lowest");
        assert_eq!(figure, Some(lowest));
    }

    let csv = fs::read_to_string(out.join("series.csv")).unwrap();
    for metric in ["throughput_bps,", directions[0], directions[1]] {
        assert!(csv.contains(&format!(",tcp,remote,1,{metric}")), "{csv}");
    }
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for title in [
        "Throughput within samples, direction=reverse",
        "Throughput forward within samples, direction=both",
        "Throughput reverse within samples, direction=both",
    ] {
        assert!(page.contains(title), "{title}");
    }
}

const PROBE: &str = "version: 1
name: bad-second
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: remote, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 4s }
tests:
  - name: cut
    probe: { interval: 2ms }
    intervals: 500ms
    during: [{ at: 1s, for: 1s, cut: [node-1, node-2] }]
  - { name: connect, probe: { mode: connect }, intervals: 1s }
";

#[test]
fn the_probe_shows_when_within_a_sample_packets_were_lost() {
    needs!(local_cluster());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PROBE).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let ended = Netplan::in_folder(&folder).args(run).run().expect(0);
    assert!(ended.stdout.contains("within samples"), "{}", ended.stdout);
    let out = folder.path().join("out");
    let samples = samples(&out);
    let [cut, connect] = &samples[..] else {
        panic!("{samples:?}")
    };
    let figures = |sample: &Sample, metric: &str| -> Vec<(f64, f64)> {
        let series = sample.series.iter().find(|one| one.metric() == metric);
        let figures = series.unwrap_or_else(|| panic!("{metric}")).intervals();
        figures.map(|one| (one.start_s, one.value)).collect()
    };
    let lost = figures(cut, "lost_percent");
    let all_lost: Vec<f64> = lost
        .iter()
        .filter(|(_, percent)| *percent > 99.9)
        .map(|(start_s, _)| *start_s)
        .collect();
    // A cut of a second spans an interval of half a second, wherever it begins.
    assert!(!all_lost.is_empty(), "{lost:?}");
    let mut ends = cut.series.iter().map(netplan::tools::Series::end_s);
    assert!(ends.all(|end_s| (end_s - 4.0).abs() < 1e-9));
    let latencies = figures(cut, "latency_us.max");
    for (start_s, _) in &latencies {
        assert!(!all_lost.contains(start_s), "{latencies:?}");
    }
    // What TCP sent in the cut arrived after it.
    let tcp = figures(cut, "tcp_latency_us.max");
    let longest = tcp.iter().map(|(_, us)| *us).fold(0.0, f64::max);
    assert!(longest > 500e3, "{tcp:?}");
    let reported = cut.metrics.get("tcp_latency_us.max").unwrap();
    assert!(
        (longest - reported).abs() <= reported / 100.0,
        "{longest} {reported}"
    );
    assert!((1..=4).contains(&figures(connect, "latency_us.p50").len()));
    assert!(samples.iter().all(|sample| {
        sample
            .warnings
            .iter()
            .all(|one| !["dip", "ramp"].contains(&one.kind().name()))
    }));

    let csv = fs::read_to_string(out.join("series.csv")).unwrap();
    let (from, to) = (all_lost[0], all_lost[0] + 0.5);
    let row = format!(",cut,remote,1,lost_percent,{from},{to},100,yes");
    assert!(csv.contains(&row), "{row}: {csv}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for title in [
        "Latency max within samples",
        "Lost within samples",
        "Tcp latency p50 within samples",
    ] {
        assert!(page.contains(title), "{title}");
    }
}

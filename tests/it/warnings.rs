//! Warnings that a real run raises.

use std::fs;

use netplan::results::Warning;
use netplan::results::environment::host_metrics::{self, End};
use netplan::results::warnings::Kind;

use crate::support::{Netplan, installed, local_cluster, needs, samples};

/// Above the MTU, and with offloads: on the local cluster a plan can ask for both.
const PLAN: &str = "\
version: 1
name: with-warnings
workers:
  client: {}
  server: { other_node_than: client }
paths:
  - { name: link, from: client, to: server, via: pod_ip }
defaults: { duration: 1s }
tests:
  - iperf3: { mss: [1000, 3000, 4000] }
local:
  nodes: 2
  links: { rate: 50 Mbit/s }
  offloads: kernel
";

#[test]
fn an_mss_above_the_mtu_and_offloads_raise_warnings_and_both_ends_observe() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let said = Netplan::in_folder(&folder).args(run).run().expect(0).stdout;

    let samples = samples(&folder.path().join("out"));
    assert_eq!(samples.len(), 3);
    for sample in &samples {
        let kinds: Vec<Kind> = sample.warnings.iter().map(Warning::kind).collect();
        assert!(kinds.contains(&Kind::Offloaded), "{sample:?}");
        assert_eq!(
            kinds.contains(&Kind::MssDiffers),
            sample.params.size() > Some(1460)
        );
        // Each end saw its own side of the same second, and more than the payload.
        let seen = |metric: host_metrics::AtEnds, end| sample.metrics.get(metric.at(end)).unwrap();
        for end in End::BOTH {
            assert!(seen(host_metrics::OBSERVED_S, end) >= 1.0);
            assert!((0.0..=100.0).contains(&seen(host_metrics::NODE_BUSY_PERCENT, end)));
        }
        let payload = sample.metrics.get("throughput_bps").unwrap() / 8.0;
        assert!(seen(host_metrics::SENT_BYTES, End::Client) > payload);
        assert!(seen(host_metrics::RECEIVED_BYTES, End::Server) > payload);
        assert!(!kinds.contains(&Kind::OtherTraffic), "{sample:?}");
    }
    for title in [
        "effective MSS is not the requested one on 2 of 3 cells",
        "several requested MSS became one effective MSS on 2 of 3 cells",
        "segmentation is offloaded on 3 of 3 cells",
    ] {
        assert!(said.contains(title), "{title}:\n{said}");
    }
}

//! What to say before the first sample of a run that sweeps small segments where offloads join them.

use crate::plan::Test;
use crate::plan::sweep::Sweep;
use crate::results::EventKind;
use crate::results::environment::OFFLOADS;
use crate::schedule::Param;

/// A sweep that goes below this MSS, in bytes, is one over small segments.
const SMALL_MSS: u64 = 1000;

/// Watches workers join, and says once that offloads are on at one of them.
#[derive(Clone, Debug, Default)]
pub struct OffloadNote {
    /// The first test that sweeps small segments; `None` also once it was said.
    test: Option<String>,
}

impl OffloadNote {
    #[must_use]
    pub fn for_tests(tests: &[Test]) -> Self {
        let sweeps = tests.iter().find(|test| {
            let values = test.tool.values(Param::Mss.name());
            let values: Vec<u64> = values.into_iter().flat_map(Sweep::values).collect();
            values.len() > 1 && values.iter().any(|mss| *mss < SMALL_MSS)
        });
        Self {
            test: sweeps.map(|test| test.name.clone()),
        }
    }

    /// What to say when this has happened.
    pub fn on(&mut self, event: &EventKind) -> Option<String> {
        let EventKind::WorkerJoined {
            worker,
            environment,
            ..
        } = event
        else {
            return None;
        };
        let on = OFFLOADS
            .iter()
            .filter(|(long, _)| environment.offloads.get(*long) == Some(&true));
        let on: Vec<&str> = on.map(|(_, short)| *short).collect();
        if on.is_empty() {
            return None;
        }
        let test = self.test.take()?;
        Some(format!(
            "test `{test}` sweeps the MSS, and worker `{worker}` has {} on: small segments cross the path in packets of up \
             to 64 KiB, so the sweep measures the offload; to measure small packets, sweep `datagram` over UDP or \
             set `offloads: off`",
            on.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::results::WorkerEnvironment;

    fn joined(offloads: &[(&str, bool)]) -> EventKind {
        let offloads = offloads.iter().map(|(name, on)| ((*name).to_owned(), *on));
        EventKind::WorkerJoined {
            worker: "w1".to_owned(),
            node: "n".to_owned(),
            pod_ip: "10.0.0.1".to_owned(),
            cluster_ip: None,
            other_pod_ip: None,
            other_cluster_ip: None,
            peer_ip: None,
            environment: WorkerEnvironment {
                offloads: offloads.collect(),
                ..WorkerEnvironment::default()
            },
        }
    }

    fn said(tool: &str, events: &[EventKind]) -> Vec<String> {
        let text = format!(
            "version: 1\nname: p\nworkers: {{ a: {{}}, b: {{}} }}\n\
             paths: [{{ name: x, from: a, to: b, via: pod_ip }}]\ntests: [{tool}]\n"
        );
        let plan = crate::plan::load(Source::new("p.yaml", text), &[]).unwrap();
        let mut note = OffloadNote::for_tests(&plan.tests);
        events.iter().filter_map(|event| note.on(event)).collect()
    }

    #[test]
    fn a_sweep_of_small_segments_with_offloads_is_noted_once() {
        let on = joined(&[
            ("tcp-segmentation-offload", true),
            ("generic-receive-offload", true),
        ]);
        let off = joined(&[("tcp-segmentation-offload", false)]);
        let sweep = "{ iperf3: { mss: [96, 1440] } }";
        let notes = said(sweep, &[off.clone(), on.clone(), on.clone()]);
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0]
                .starts_with("test `iperf3-tcp` sweeps the MSS, and worker `w1` has TSO, GRO on: "),
            "{}",
            notes[0]
        );
        assert_eq!(said(sweep, &[off]), [""; 0]);
        for other in [
            "{ iperf3: { mss: [1200, 1440] } }",
            "{ iperf3: { mss: 96 } }",
            "{ iperf3: { protocol: udp, datagram: [64, 1440] } }",
        ] {
            assert_eq!(said(other, std::slice::from_ref(&on)), [""; 0], "{other}");
        }
    }
}

//! Warnings: reasons to distrust a sample's figure. Compares what was observed around the
//! sample with what was asked for. Pure.
//!
//! A warning says that the figure may describe something else than the path: a processor, a quota, a
//! neighbour. An unknown figure raises no warning.

mod circumstances;
mod contradicted;
mod impossible;
mod judge;
mod kind;
mod offload_note;
mod vanished_segment;
mod warning;
mod within;

pub use circumstances::{Circumstances, Interfaces};
pub use contradicted::{CONTRADICTED_PERCENT, contradicted, contradiction};
pub use impossible::remove_impossible;
pub use judge::{
    BURST_PERCENT, BURST_SEGMENTS, ELAPSED_PERCENT, ELAPSED_S, OTHER_BPS, OTHER_PERCENT,
    SATURATED_PERCENT, STOLEN_PERCENT, find_warnings,
};
pub use kind::Kind;
pub use offload_note::OffloadNote;
pub use vanished_segment::VanishedSegment;
pub use warning::{MtuEvidence, Warning};
pub use within::of_series;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Direction;
    use crate::results::WorkerEnvironment;
    use crate::results::environment::host_metrics::{self, End};
    use crate::schedule::{Param, Params};
    use crate::tools::{Metrics, name};

    /// A sample that nothing speaks against: 1 Gbit/s for 10 s at an MSS of 1460.
    const CLEAN: [(&str, f64); 12] = [
        (name::THROUGHPUT_BPS, 0.95e9),
        (name::SENT_BPS, 0.951e9),
        (name::RETRANSMITS, 40.0),
        (name::ELAPSED_S, 10.01),
        (name::EFFECTIVE_MSS, 1448.0),
        (host_metrics::OBSERVED_S.at(End::Client), 11.1),
        (host_metrics::NODE_BUSY_PERCENT.at(End::Client), 70.0),
        (host_metrics::NODE_STEAL_PERCENT.at(End::Client), 0.3),
        (host_metrics::THROTTLED_PERIODS.at(End::Client), 0.0),
        (host_metrics::THROTTLED_US.at(End::Client), 0.0),
        (host_metrics::SENT_BYTES.at(End::Client), 1.367e9),
        (host_metrics::RECEIVED_BYTES.at(End::Client), 0.03e9),
    ];

    fn params() -> Params {
        Params(vec![(Param::Streams, 8), (Param::Mss, 1460)])
    }

    fn circumstances() -> Circumstances {
        Circumstances {
            asked_s: 10.0,
            client_warmup_s: 1.0,
            server_warmup_s: 1.0,
            sweeps_mss: true,
            mtu: 1500,
            ..Circumstances::default()
        }
    }

    fn with(changes: &[(&str, f64)]) -> Metrics {
        let mut metrics = Metrics::default();
        for (name, value) in CLEAN.iter().chain(changes) {
            metrics.set(name, *value);
        }
        metrics
    }

    fn kinds(changes: &[(&str, f64)]) -> Vec<Kind> {
        let warnings = find_warnings(&params(), &with(changes), &circumstances());
        warnings.iter().map(Warning::kind).collect()
    }

    #[test]
    fn each_cause_gives_its_warning_and_no_other() {
        assert_eq!(kinds(&[]), []);
        let client = End::Client;
        for (change, kind) in [
            (&[(name::EFFECTIVE_MSS, 1400.0)][..], Kind::MssDiffers),
            (&[(name::EFFECTIVE_MSS, 1461.0)], Kind::MssDiffers),
            (
                &[(host_metrics::NODE_BUSY_PERCENT.at(client), 95.0)],
                Kind::CpuSaturated,
            ),
            (
                &[(host_metrics::NODE_STEAL_PERCENT.at(client), 5.0)],
                Kind::CpuStolen,
            ),
            (
                &[(host_metrics::THROTTLED_PERIODS.at(client), 1.0)],
                Kind::Throttled,
            ),
            (&[(name::ELAPSED_S, 10.6)], Kind::ElapsedOff),
            (&[(name::ELAPSED_S, 9.4)], Kind::ElapsedOff),
            (&[(name::RETRANSMITS, 9_000.0)], Kind::RetransmitBurst),
            (
                &[(host_metrics::RECEIVED_BYTES.at(client), 0.6e9)],
                Kind::OtherTraffic,
            ),
        ] {
            assert_eq!(kinds(change), [kind], "{change:?}");
        }
    }

    #[test]
    fn timestamps_and_their_absence_raise_no_warning() {
        for effective in [1448.0, 1460.0] {
            assert_eq!(kinds(&[(name::EFFECTIVE_MSS, effective)]), []);
        }
    }

    #[test]
    fn a_sweep_is_flattened_by_offloads_at_either_end_and_by_one_host() {
        let on = |names: &[&str]| WorkerEnvironment {
            offloads: names.iter().map(|n| ((*n).to_owned(), true)).collect(),
            ..WorkerEnvironment::default()
        };
        let off = WorkerEnvironment {
            offloads: BTreeMap::from([("tcp-segmentation-offload".to_owned(), false)]),
            ..WorkerEnvironment::default()
        };
        let warnings = |about: &Circumstances| find_warnings(&params(), &with(&[]), about);
        assert_eq!(warnings(&circumstances().seen(&off, &off)), []);
        let both = on(&["tcp-segmentation-offload", "generic-receive-offload"]);
        let about = circumstances().seen(&both, &on(&["tcp-segmentation-offload"]));
        let features = ["TSO at client and server", "GRO at client"].map(str::to_owned);
        assert_eq!(
            warnings(&about),
            [Warning::Offloaded {
                features: features.to_vec()
            }]
        );
        let one_size = Circumstances {
            sweeps_mss: false,
            ..about.clone()
        };
        assert_eq!(warnings(&one_size), []);
        let loopback = Circumstances {
            loopback: true,
            ..about
        };
        assert_eq!(warnings(&loopback), [Warning::Loopback]);
    }

    #[test]
    fn a_hairpin_sees_each_packet_twice_and_once() {
        let hairpin = Circumstances {
            hairpin: true,
            ..circumstances()
        };
        let twice = with(&[
            (host_metrics::SENT_BYTES.at(End::Client), 1.4e9),
            (host_metrics::RECEIVED_BYTES.at(End::Client), 1.4e9),
            (host_metrics::NODE_BUSY_PERCENT.at(End::Client), 99.0),
            (host_metrics::NODE_BUSY_PERCENT.at(End::Server), 99.0),
        ]);
        let kinds = |about| find_warnings(&params(), &twice, about);
        assert_eq!(
            kinds(&hairpin),
            [Warning::CpuSaturated {
                end: End::Client,
                busy_percent: 99.0
            }]
        );
        let kinds: Vec<Kind> = kinds(&circumstances()).iter().map(Warning::kind).collect();
        assert!(kinds.contains(&Kind::OtherTraffic));
    }

    /// Writes of 64 bytes at 10 Mbit/s for 10 s, each in a packet of its own and acknowledged by one.
    fn small_writes(foreign_bytes: f64, foreign_packets: f64) -> Vec<Kind> {
        let writes = 10e6 * 10.0 / 8.0 / 64.0;
        let client = End::Client;
        kinds(&[
            (name::THROUGHPUT_BPS, 10e6),
            (name::SENT_BPS, 10e6),
            (name::RETRANSMITS, 0.0),
            (
                host_metrics::SENT_PACKETS.at(client),
                writes + foreign_packets,
            ),
            (host_metrics::RECEIVED_PACKETS.at(client), writes),
            (
                host_metrics::SENT_BYTES.at(client),
                writes * (64.0 + 66.0) + foreign_bytes,
            ),
            (host_metrics::RECEIVED_BYTES.at(client), writes * 66.0),
        ])
    }

    #[test]
    fn headers_of_small_writes_are_no_other_traffic() {
        assert_eq!(small_writes(0.0, 0.0), []);
        // Neither are those of VXLAN, 50 bytes for each packet and each acknowledgement.
        let vxlan = 50.0 * 2.0 * 10e6 * 10.0 / 8.0 / 64.0;
        assert_eq!(small_writes(vxlan, 0.0), []);
        // A foreign flow five times as fast as the sample's own, in full packets. A slower one may hide
        // behind the longest headers that the small packets could have.
        let packets = 50e6 * 10.0 / 8.0 / 1448.0;
        assert_eq!(
            small_writes(packets * 1514.0, packets),
            [Kind::OtherTraffic]
        );
        // Without packet counters, as in older journals, a segment is taken to be full.
        assert_eq!(
            kinds(&[(host_metrics::RECEIVED_BYTES.at(End::Client), 0.6e9)]),
            [Kind::OtherTraffic]
        );
    }

    #[test]
    fn a_warning_has_its_name_in_events() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let warning = Warning::CpuSaturated {
            end: End::Server,
            busy_percent: 99.5,
        };
        let text = r#"{"kind":"cpu_saturated","end":"server","busy_percent":99.5}"#;
        assert_eq!(serde_json::to_string(&warning).unwrap(), text);
        assert_eq!(serde_json::from_str::<Warning>(text).unwrap(), warning);
        for (evidence, key) in [
            (MtuEvidence::LargestBytes(1400), "largest_bytes"),
            (
                MtuEvidence::VanishedPayloadBytes(1400),
                "vanished_payload_bytes",
            ),
        ] {
            let direction = Direction::Reverse;
            let warning = Warning::MtuBlackHole {
                direction,
                evidence,
            };
            let text = format!(r#"{{"kind":"mtu_black_hole","direction":"reverse","{key}":1400}}"#);
            assert_eq!(serde_json::to_string(&warning).unwrap(), text);
            assert_eq!(serde_json::from_str::<Warning>(&text).unwrap(), warning);
        }
    }

    fn any_metrics() -> impl Strategy<Value = Metrics> {
        let tools = [
            name::THROUGHPUT_BPS,
            name::SENT_BPS,
            name::RETRANSMITS,
            name::ELAPSED_S,
            name::EFFECTIVE_MSS,
        ];
        let ends = host_metrics::ALL
            .into_iter()
            .flat_map(|metric| End::BOTH.map(|end| metric.at(end)));
        let names: Vec<&str> = tools.into_iter().chain(ends).collect();
        let value = prop_oneof![any::<f64>(), 0.0..1e10, Just(0.0)];
        prop::collection::vec((prop::sample::select(names), value), 0..40).prop_map(|all| {
            let mut metrics = Metrics::default();
            for (name, value) in all {
                metrics.set(name, value);
            }
            metrics
        })
    }

    proptest! {
        #[test]
        fn any_figures_give_warnings_with_a_text(
            metrics in any_metrics(), mss: Option<u64>, asked_s in 0.0..1e6_f64,
            warmup in 0.0..1e3_f64, flags: [bool; 3], mtu: u32,
        ) {
            let params = Params(mss.map(|mss| (Param::Mss, mss)).into_iter().collect());
            let about = Circumstances {
                asked_s,
                client_warmup_s: warmup,
                server_warmup_s: warmup,
                sweeps_mss: flags[0],
                loopback: flags[1],
                hairpin: flags[2],
                mtu,
                offloads: vec!["TSO at client".to_owned()],
                ..Circumstances::default()
            };
            let warnings = find_warnings(&params, &metrics, &about);
            for warning in &warnings {
                prop_assert!(!warning.figures().is_empty());
                prop_assert!(!warning.severity().is_nan());
                let json = serde_json::to_string(warning).unwrap();
                let back: Warning = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(back.kind(), warning.kind());
            }
        }

        /// An unknown figure raises no warning.
        #[test]
        fn no_warning_without_its_cause(
            metrics in any_metrics(), gone in prop::sample::subsequence(CLEAN.to_vec(), 0..12),
        ) {
            let mut less = Metrics::default();
            for (name, value) in CLEAN {
                if !gone.iter().any(|(other, _)| *other == name) {
                    less.set(name, value);
                }
            }
            prop_assert_eq!(find_warnings(&params(), &less, &circumstances()), vec![]);
            for warning in find_warnings(&params(), &metrics, &circumstances()) {
                let cause = match warning {
                    Warning::MssDiffers { .. } => name::EFFECTIVE_MSS,
                    Warning::CpuSaturated { end, .. } => host_metrics::NODE_BUSY_PERCENT.at(end),
                    Warning::CpuStolen { end, .. } => host_metrics::NODE_STEAL_PERCENT.at(end),
                    Warning::Throttled { end, .. } => host_metrics::THROTTLED_PERIODS.at(end),
                    Warning::ElapsedOff { .. } => name::ELAPSED_S,
                    Warning::RetransmitBurst { .. } => name::RETRANSMITS,
                    Warning::OtherTraffic { end, .. } => host_metrics::SENT_BYTES.at(end),
                    Warning::Offloaded { .. }
                    | Warning::Loopback
                    | Warning::SenderRate
                    | Warning::ImpossibleFigure { .. }
                    | Warning::Contradicted { .. }
                    | Warning::Dip { .. }
                    | Warning::Ramp { .. }
                    | Warning::MtuBlackHole { .. } => unreachable!("{warning:?}"),
                };
                prop_assert!(metrics.get(cause).is_some(), "{warning:?}");
            }
        }

        /// A warning does not go away when its cause grows.
        #[test]
        fn thresholds_are_monotone(from in 0.0..1.0_f64, grows in 0.0..1.0_f64) {
            let client = End::Client;
            for (metric, low, high) in [
                (host_metrics::NODE_BUSY_PERCENT.at(client), 0.0, 100.0),
                (host_metrics::NODE_STEAL_PERCENT.at(client), 0.0, 100.0),
                (host_metrics::THROTTLED_PERIODS.at(client), 0.0, 100.0),
                (host_metrics::RECEIVED_BYTES.at(client), 0.0, 4e9),
                (name::RETRANSMITS, 0.0, 1e5),
                (name::ELAPSED_S, 10.0, 20.0),
            ] {
                let at = |share: f64| kinds(&[(metric, low + share * (high - low))]);
                // More retransmissions and more time also explain more traffic.
                let lost = at(from).into_iter().find(|kind| {
                    *kind != Kind::OtherTraffic && !at((from + grows).min(1.0)).contains(kind)
                });
                prop_assert_eq!(lost, None, "{}", metric);
            }
        }
    }
}

//! The plan language under generated texts: what loads survives its own text, and nothing panics.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::LazyLock;

use netplan::diag::{Problems, Source};
use netplan::plan::{self, PlanFile};
use proptest::prelude::*;

fn load(text: &str) -> Result<PlanFile, Problems> {
    plan::load_file(&plan::Alone, Source::new("plan.yaml", text), &[])
}

/// A sweep as text, within bounds.
fn sweep(least: u64, most: u64) -> impl Strategy<Value = String> {
    let value = least..=most;
    prop_oneof![
        value.clone().prop_map(|value| value.to_string()),
        proptest::collection::btree_set(value.clone(), 1..5).prop_map(|values| {
            let values: Vec<u64> = values.into_iter().collect();
            format!("{values:?}")
        }),
        (value.clone(), value, 1..500_u64).prop_map(|(a, b, step)| {
            format!("{{ from: {}, to: {}, step: {step} }}", a.min(b), a.max(b))
        }),
    ]
}

fn iperf3() -> impl Strategy<Value = String> {
    let options = (
        sweep(1, 128),
        sweep(88, 9216),
        sweep(16, 65507),
        any::<bool>(),
    );
    options.prop_map(|(streams, mss, datagram, udp)| {
        if udp {
            format!("iperf3: {{ protocol: udp, streams: {streams}, datagram: {datagram} }}")
        } else {
            format!("iperf3: {{ streams: {streams}, mss: {mss}, rate: 1.5 Gbit/s }}")
        }
    })
}

/// The rest of a test by iperf3 over TCP or UDP, or by netperf: what is expected of it.
fn expect() -> impl Strategy<Value = String> {
    let bound = (0..4_usize, 1..2_000_u32, 1..99_u32, any::<bool>());
    bound.prop_map(|(sign, whole, part, ratio)| {
        let sign = [">=", ">", "<=", "<"][sign];
        let value = |unit: &str| {
            if ratio {
                format!("'{sign}  {whole}.{part}% of  y'")
            } else {
                format!("'{sign} {whole}{unit}'")
            }
        };
        format!(
            "expect: {{ cpu.client: {}, cpu.server: {} }}",
            value(&format!(".{part}")),
            value("")
        )
    })
}

/// A search for a rate.
fn find() -> impl Strategy<Value = String> {
    let parts = (1..500_u32, 500..2_000_u32, 1..99_u32, any::<bool>());
    parts.prop_map(|(from, to, part, jitter)| {
        let metric = if jitter { "jitter < 1.5ms" } else { "lost_percent<=0" };
        let part = if jitter { String::new() } else { format!(".{part}") };
        format!(
            "{{ rate: max, from: {from} Mbit/s, to: {to} Mbit/s, within: {}%, while: '{metric}{part}' }}",
            from.min(50)
        )
    })
}

fn netperf() -> impl Strategy<Value = String> {
    let options = (sweep(88, 32767), sweep(1, 65507), 0..5_usize);
    options.prop_map(|(mss, size, test)| match test {
        0 => format!("netperf: {{ mss: {mss}, write_size: {size} }}"),
        1 => format!("netperf: {{ test: TCP_RR, mss: {mss}, request: {size} }}"),
        2 => format!("netperf: {{ test: TCP_CRR, response: {size} }}"),
        3 => format!("netperf: {{ test: UDP_STREAM, datagram: {size} }}"),
        _ => format!("netperf: {{ test: UDP_RR, request: {size}, response: {size} }}"),
    })
}

/// A test of one of the tools that `plans` declares.
fn declared() -> impl Strategy<Value = String> {
    let options = (sweep(14, 65507), sweep(88, 32767), any::<bool>());
    options.prop_map(|(size, mss, by_default)| {
        if by_default {
            "my-tool:".to_owned()
        } else {
            format!("my-tool: {{ size: {size}, mss: {mss} }}")
        }
    })
}

/// What `tools:` says in plans, but for a port and a command's last argument.
fn tools(port: u16, argument: &str, ready: u8) -> String {
    let ready = ["{ port: control }", "{ line: up }", "exited"][usize::from(ready) % 3];
    format!(
        "tools:\n\
         \x20 my-tool:\n\
         \x20   install: build it\n\
         \x20   parameters: {{ size: {{ default: 64 B, unit: bytes, min: 14 }}, burst: }}\n\
         \x20   ports: [{{ name: control, port: {port}, protocol: both }}]\n\
         \x20   server: {{ command: [x, 1.50, true], ready: {ready} }}\n\
         \x20   client:\n\
         \x20     command: [y, '{{{{ target }}}}', [-m, '{{{{ mss }}}}', '{{{{ burst }}}}'], '{{{{ size }}}}', {argument}]\n\
         \x20   metrics:\n\
         \x20     latency.p99: {{ regex: '= (?<value>\\d+)', unit: ns, take: max }}\n\
         \x20     cpu.client: {{ json: /a~1b/0, unit: percent, optional: true }}\n\
         \x20     cpu.server: {{ json: /a/1, unit: ratio }}\n"
    )
}

/// A group of workers, the mesh between them, and the paths of a test that measures it with the others;
/// nothing at all where there is no group.
fn mesh() -> impl Strategy<Value = [String; 3]> {
    let parts = (2..6_u32, any::<bool>(), any::<bool>(), any::<bool>());
    prop_oneof![
        Just([String::new(), String::new(), String::new()]),
        parts.prop_map(|(count, counted, named, both)| {
            let rest = if counted {
                format!(", count: {count}")
            } else {
                String::new()
            };
            let (name, name_key) = if named {
                ("every-pair", "name: every-pair, label: 'Every pair', ")
            } else {
                ("m", "")
            };
            [
                format!(", m: {{ one_per_node: true{rest} }}"),
                format!(
                    "- mesh: {{ {name_key}workers: m, via: cluster_ip, both_directions: {both}, \
                     expect: {{ cpu.client: '< 80% of x' }} }}\n"
                ),
                format!("  paths: [{name}, y, x]\n"),
            ]
        }),
    ]
}

/// Texts as people use them, with what YAML makes hard.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ~:#'\"&*!|>%@`ä→.-]{1,20}",
        Just("null".to_owned()),
        Just("1e3".to_owned()),
        Just("0x1F".to_owned()),
    ]
    .prop_filter("a label is not empty", |text| !text.trim().is_empty())
}

/// Plans in which at most the number of cells is wrong.
fn plans() -> impl Strategy<Value = String> {
    let test = (
        prop_oneof![iperf3(), netperf(), declared()],
        1..100_u64,
        0..3_u64,
        1..9_u32,
        expect(),
        find(),
    );
    let tests = proptest::collection::vec(test, 1..5);
    let link = (1..9_000_u64, 0..9_000_u64, 0..99_u32, 576..65535_u32);
    // netplan's own ports are between.
    let port = prop_oneof![1..15_202_u16, 15_210..65_535_u16];
    let tool = (port, words(), 0..3_u8);
    let parts = (tests, words(), words(), link, tool, mesh());
    parts.prop_map(|(tests, description, label, link, tool, mesh)| {
        let [group, entry, paths_of_test] = mesh;
        let (rate, delay, loss, mtu) = link;
        let (port, argument, ready) = tool;
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let mut yaml = vec![format!(
            "version: 1\n\
             name: p\n\
             description: {}\n\
             workers: {{ a: , b: {{ other_node_than: a }}{group} }}\n\
             paths:\n\
             {entry}\
             - {{ name: x, label: {}, from: a, to: b, via: pod_ip }}\n\
             - {{ name: y, from: b, to: b, via: cluster_ip, expect: {{ cpu.server: '< 90% of x' }} }}\n\
             local:\n\
             \x20 links: {{ rate: {rate} Mbit/s, delay: {delay}us, loss: 0.{loss}%, mtu: {mtu} }}\n\
             {}\
             tests:\n",
            quoted(&description),
            quoted(&label),
            tools(port, &quoted(&argument), ready),
        )];
        for (tool, duration, warmup, repeat, expect, find) in tests {
            yaml.push(format!(
                "- {tool}\n  duration: {duration}s\n  warmup: {warmup}m\n  repeat: {repeat}\n  {expect}\n"
            ));
            if repeat % 2 == 0 {
                yaml.push(paths_of_test.clone());
            }
            if tool.contains("udp") {
                yaml.push(format!("  find: {find}\n"));
            }
        }
        yaml.concat()
    })
}

/// The language's own words and signs in disorder.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "\n  ",
        "\n    ",
        ": ",
        "- ",
        "[",
        "]",
        "{ ",
        " }",
        ", ",
        "&a ",
        "*a",
        "<<",
        "'",
        "\"",
        "\t",
        "# ",
        "| ",
        "!x ",
        "---\n",
        "? ",
        "é",
        "\u{feff}",
        "\r",
        "version: 1\n",
        "name",
        "workers",
        "w1",
        "tests",
        "iperf3",
        "mss",
        "from",
        "10s",
        "1",
        "0",
        "~",
        "paths:\n",
        "tests:\n  - iperf3: { mss: ",
        "\u{0}",
        "\u{1b}[31m",
        "%",
        "@",
        "> ",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A good plan, cut, or with something put in.
fn broken() -> impl Strategy<Value = String> {
    let parts = (plans(), any::<prop::sample::Index>(), soup(), any::<bool>());
    parts.prop_map(|(text, at, soup, cut)| {
        let starts: Vec<usize> = text.char_indices().map(|(start, _)| start).collect();
        let (before, after) = text.split_at(*at.get(&starts));
        if cut {
            before.to_owned()
        } else {
            format!("{before}{soup}{after}")
        }
    })
}

fn never_panics(text: &str, set: &[String]) {
    if let Err(problems) = plan::load(Source::new("plan.yaml", text), set) {
        assert!(!problems.is_empty());
        assert!(!problems.render(false).is_empty() && !problems.render(true).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_plan_survives_its_own_text(text in plans()) {
        match load(&text) {
            Ok(plan) => {
                let again = load(&plan.to_yaml().unwrap());
                let again = again.map_err(|problems| TestCaseError::fail(problems.to_string()))?;
                // The text pins the sizes of groups.
                let nodes = plan.local.nodes;
                prop_assert_eq!(again, plan.with_nodes(nodes).unwrap());
            }
            Err(problems) => prop_assert!(problems.to_string().contains("cells"), "{}", problems),
        }
    }

    #[test]
    fn the_schema_takes_what_loads(text in plans()) {
        static VALIDATOR: LazyLock<jsonschema::Validator> =
            LazyLock::new(|| jsonschema::validator_for(&plan::schema()).unwrap());
        let is_valid = |text: &str| VALIDATOR.is_valid(&serde_yaml::from_str(text).unwrap());
        prop_assert!(is_valid(&text));
        if let Ok(plan) = load(&text) {
            prop_assert!(is_valid(&plan.to_yaml().unwrap()));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text: String, set: Vec<String>) {
        never_panics(&text, &set);
    }

    #[test]
    fn any_yaml_is_read_or_refused(text in prop_oneof![soup(), broken()]) {
        never_panics(&text, &[]);
    }

    #[test]
    fn any_setting_is_read_or_refused(
        text in plans(),
        path in "(tests|paths|workers|name|local|0|1|q)(\\.(0|1|x|iperf3|mss|links|rate|)){0,4}",
        value in soup(),
    ) {
        never_panics(&text, &[format!("{path}={value}"), "tests.0.repeat=2".to_owned()]);
    }
}

//! Recognises the plans of other benchmarks, and Kubernetes objects: one problem that says how to write it here,
//! instead of one for each key.
//!
//! Formats: <https://github.com/cloud-bulldozer/k8s-netperf> (a mapping of tests, or since 0.30 a list below
//! `tests`), <https://github.com/ovn-kubernetes/kubernetes-traffic-flow-tests> (a list below `tft`),
//! <https://github.com/galexrt/ancientt> (`runner` and `tests`).

use crate::diag::{Problem, quote};
use crate::plan::text::tree::{Entry, Kind, Map, NodeId, Tree, Value};

/// Where to go from the first test.
const THEN: &str = "`netplan init my-plan.yaml` writes a plan to put it in";

/// The problem of a text that is something else than a plan of netplan, if it is.
pub fn recognise(tree: &Tree, root: NodeId) -> Option<Problem> {
    let root = Foreign {
        tree,
        map: map(tree, root)?,
    };
    if ["workers", "paths", "extends"]
        .into_iter()
        .any(|key| root.map.get(key).is_some())
    {
        return None;
    }
    traffic_flow_tests(root)
        .or_else(|| ancientt(root))
        .or_else(|| k8s_netperf(root))
        .or_else(|| kubernetes_object(root))
}

/// A mapping of a text whose keys are not netplan's.
#[derive(Clone, Copy)]
struct Foreign<'t> {
    tree: &'t Tree,
    map: &'t Map,
}

fn map(tree: &Tree, id: NodeId) -> Option<&Map> {
    match &tree.get(id).kind {
        Kind::Map(map) => Some(map),
        _ => None,
    }
}

impl<'t> Foreign<'t> {
    fn mapping_at(self, id: NodeId) -> Option<Self> {
        let map = map(self.tree, id)?;
        Some(Self { map, ..self })
    }

    fn within(self, key: &str) -> Option<Self> {
        self.mapping_at(self.map.get(key)?.value)
    }

    /// The mappings of a list.
    fn list(self, key: &str) -> Vec<Self> {
        let items = self
            .map
            .get(key)
            .map(|entry| &self.tree.get(entry.value).kind);
        match items {
            Some(Kind::List(items)) => items.iter().filter_map(|id| self.mapping_at(*id)).collect(),
            _ => Vec::new(),
        }
    }

    fn text(self, key: &str) -> Option<&'t str> {
        match &self.tree.get(self.map.get(key)?.value).kind {
            Kind::Scalar(scalar) if scalar.value != Value::Null => Some(&scalar.text),
            _ => None,
        }
    }

    /// A whole number, also one in quotes.
    fn number(self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    fn is_true(self, key: &str) -> bool {
        self.text(key)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// What this is, at one of its keys, and how to write it here.
    fn problem(entry: &Entry, what: &str, help: String) -> Problem {
        Problem::new(
            entry.key_place,
            format!("this is {what}, not one of netplan"),
        )
        .help(help)
    }
}

fn k8s_netperf(root: Foreign<'_>) -> Option<Problem> {
    // A test is the value of its name, or an item of the list in which the name is a key without a value.
    let inside = |of: Foreign<'_>| {
        of.map
            .entries
            .iter()
            .find_map(|entry| netperf_test(of.mapping_at(entry.value)?))
    };
    let mut items = root.list("tests").into_iter();
    let test = items
        .find_map(|item| netperf_test(item).or_else(|| inside(item)))
        .or_else(|| inside(root))?;
    let help = format!(
        "write its first test as `{}` on a path with `via: {}`; {THEN}",
        test.0, test.1
    );
    Some(Foreign::problem(
        root.map.entries.first()?,
        "a k8s-netperf plan",
        help,
    ))
}

/// A test of k8s-netperf as one of netplan, and how its path goes.
fn netperf_test(test: Foreign<'_>) -> Option<(String, &'static str)> {
    let profile = test.text("profile")?;
    if test.map.get("duration").is_none() && test.map.get("samples").is_none() {
        return None;
    }
    let size = test.number("messagesize");
    let streams = test.number("parallelism").filter(|streams| *streams > 1);
    let sized = |keys: &[&str]| -> String {
        let size = size.iter();
        size.flat_map(|size| keys.iter().map(move |key| format!(", {key}: {size}")))
            .collect()
    };
    // netperf has no parallel streams; iperf3 has.
    let tool = match (profile, streams) {
        ("TCP_STREAM", Some(streams)) => {
            format!("iperf3: {{ streams: {streams}{} }}", sized(&["write_size"]))
        }
        ("UDP_STREAM", Some(streams)) => {
            format!(
                "iperf3: {{ protocol: udp, streams: {streams}{} }}",
                sized(&["datagram"])
            )
        }
        ("UDP_STREAM", None) => format!("netperf: {{ test: UDP_STREAM{} }}", sized(&["datagram"])),
        ("TCP_RR" | "UDP_RR" | "TCP_CRR", _) => {
            format!(
                "netperf: {{ test: {profile}{} }}",
                sized(&["request", "response"])
            )
        }
        _ => format!("netperf: {{ test: TCP_STREAM{} }}", sized(&["write_size"])),
    };
    let via = match (test.is_true("service"), test.is_true("hostnetwork")) {
        (true, _) => "cluster_ip",
        (_, true) => "host",
        _ => "pod_ip",
    };
    Some((
        timed(&tool, test.number("duration"), test.number("samples")),
        via,
    ))
}

fn traffic_flow_tests(root: Foreign<'_>) -> Option<Problem> {
    let entry = root.map.get("tft")?;
    let test = root.list("tft").into_iter().next();
    let connection = test.and_then(|test| test.list("connections").into_iter().next());
    let tool = match connection.and_then(|connection| connection.text("type")) {
        Some("iperf-udp") => "iperf3: { protocol: udp }",
        Some("netperf-tcp-stream") => "netperf: { test: TCP_STREAM }",
        Some("netperf-tcp-rr") => "netperf: { test: TCP_RR }",
        _ => "iperf3: {}",
    };
    let duration = test.and_then(|test| test.number("duration"));
    let help = format!(
        "write its first connection as `{}`, and each of its `test_cases` as a path: pods with `via: pod_ip`, \
         Services with `via: cluster_ip`, hosts with `via: host`; {THEN}",
        timed(tool, duration, None)
    );
    Some(Foreign::problem(
        entry,
        "a plan of kubernetes-traffic-flow-tests",
        help,
    ))
}

fn ancientt(root: Foreign<'_>) -> Option<Problem> {
    let entry = root.map.get("runner")?;
    root.within("runner")?;
    let test = root
        .list("tests")
        .into_iter()
        .find(|test| test.text("type").is_some())?;
    let options = test.within("iperf3");
    let tool = match options {
        Some(options) if options.is_true("udp") => "iperf3: { protocol: udp }",
        _ => "iperf3: {}",
    };
    let duration = options.and_then(|options| options.number("duration"));
    let rounds = test
        .within("runOptions")
        .and_then(|options| options.number("rounds"));
    let help = format!(
        "write its first test as `{}`, and each pair of its `hosts` as a path between two `workers`; {THEN}",
        timed(tool, duration, rounds)
    );
    Some(Foreign::problem(entry, "an ancientt plan", help))
}

fn kubernetes_object(root: Foreign<'_>) -> Option<Problem> {
    let kind = root.text("kind")?;
    let entry = root.map.get("apiVersion")?;
    let what = format!("a Kubernetes object of the kind {}", quote(kind));
    let help = "`netplan init my-plan.yaml` writes a plan to start from, and `netplan render` makes the objects of one";
    Some(Foreign::problem(entry, &what, help.to_owned()))
}

/// A test with its timing.
fn timed(tool: &str, seconds: Option<u64>, repeat: Option<u64>) -> String {
    let seconds = seconds.map_or(String::new(), |seconds| format!(", duration: {seconds}s"));
    let repeat = repeat.map_or(String::new(), |repeat| format!(", repeat: {repeat}"));
    format!("- {{ {tool}{seconds}{repeat} }}")
}

#[cfg(test)]
mod tests {
    use crate::diag::Source;
    use crate::plan::decode::load;

    /// The only problem's sentence and help.
    fn problem(text: &str) -> (String, String) {
        let problems = load::load(Source::new("plan.yaml", text), &[]).unwrap_err();
        let all: Vec<_> = problems.iter().collect();
        assert_eq!(all.len(), 1, "{problems}");
        (all[0].what.clone(), all[0].help.clone().unwrap_or_default())
    }

    /// The test that the help proposes, in a plan around it.
    fn load_proposal(help: &str) {
        let test = help
            .split('`')
            .find(|part| part.starts_with("- {"))
            .unwrap();
        let plan = format!(
            "version: 1\nname: x\nworkers: {{ a: {{}}, b: {{ other_node_than: a }} }}\n\
             paths: [{{ name: p, from: a, to: b, via: pod_ip }}]\ntests:\n  {test}\n"
        );
        let loaded = load::load(Source::new("plan.yaml", plan), &[]);
        assert!(loaded.is_ok(), "{help}\n{}", loaded.unwrap_err());
    }

    #[test]
    fn what_is_proposed_is_a_test() {
        for profile in ["TCP_STREAM", "UDP_STREAM", "TCP_RR", "UDP_RR", "TCP_CRR"] {
            for parallelism in [1, 4] {
                for (prefix, indent) in [
                    ("tests:\n  - A:\n", "    "),
                    ("A:\n", "  "),
                    ("tests:\n  - A:\n", "      "),
                ] {
                    let keys = ["duration: 30", "samples: 5", "messagesize: 1024"];
                    let mut text = format!(
                        "{prefix}{indent}parallelism: {parallelism}\n{indent}profile: \"{profile}\"\n"
                    );
                    for key in keys {
                        text = format!("{text}{indent}{key}\n");
                    }
                    let (what, help) = problem(&text);
                    assert_eq!(
                        what, "this is a k8s-netperf plan, not one of netplan",
                        "{text}"
                    );
                    assert!(help.contains("duration: 30s, repeat: 5"), "{help}");
                    load_proposal(&help);
                }
            }
        }
        for kind in [
            "iperf-tcp",
            "iperf-udp",
            "netperf-tcp-stream",
            "netperf-tcp-rr",
            "http",
        ] {
            let text =
                format!("tft: [{{ name: a, duration: '30', connections: [{{ type: {kind} }}] }}]");
            let (what, help) = problem(&text);
            assert!(what.contains("kubernetes-traffic-flow-tests"), "{what}");
            load_proposal(&help);
        }
        for udp in [true, false] {
            let text = format!(
                "version: '0'\nrunner: {{ name: mock }}\ntests: [{{ type: iperf3, iperf3: {{ udp: {udp}, duration: 5 }} }}]"
            );
            let (what, help) = problem(&text);
            assert!(what.contains("ancientt"), "{what}");
            load_proposal(&help);
        }
        assert!(
            problem("apiVersion: v1\nkind: Pod\n")
                .0
                .contains("a Kubernetes object of the kind `Pod`")
        );
    }

    #[test]
    fn an_unfinished_plan_is_one_of_netplan() {
        for text in [
            "version: 1\ntests: [{ iperf3: {}, duration: 1s }]",
            "name: x\ntests: [{ profile: x }]",
            "workers: { a: { profile: TCP_RR, duration: 1 } }",
            "kind: x",
            "tools: { profile: { duration: 1 } }",
        ] {
            let problems = load::load(Source::new("plan.yaml", text), &[]).unwrap_err();
            assert!(
                problems
                    .iter()
                    .all(|problem| !problem.what.starts_with("this is")),
                "{problems}"
            );
        }
    }
}

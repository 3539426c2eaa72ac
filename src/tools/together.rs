//! Whether the servers of a test that measures all of its paths at once can run side by side.

use std::collections::HashMap;

use super::registry::from_spec;
use super::tool::Port;
use crate::diag::Problem;
use crate::plan::Plan;
use crate::schedule::slots;

/// Two servers of a test with `together` that would listen on the same port of a worker.
#[must_use]
pub fn port_conflict(plan: &Plan) -> Option<Problem> {
    let slots = slots(plan);
    for test in plan.tests.iter().filter(|test| test.together) {
        let mut taken: HashMap<(&str, Port), &str> = HashMap::new();
        for path in plan.paths_of(test) {
            let (slot, path) = (slots[path], &plan.paths[path]);
            let tool = from_spec(plan.tool(test, path.variant));
            for port in tool.ports(slot) {
                let Some(other) = taken.insert((&path.to, port), &path.name) else {
                    continue;
                };
                let Port { number, transport } = port;
                let problem = Problem::without_place(format!(
                    "the test `{}` measures its paths together, and two servers on worker `{}` need port {number}/{}: \
                     of `{other}` and of `{}`",
                    test.name,
                    path.to,
                    transport.name(),
                    path.name,
                ));
                return Some(problem.help(
                    "give the test only one of these paths, e.g. `paths: [...]`, or measure with a tool that has a port for each path",
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;

    fn conflict(paths: &str, tool: &str) -> Option<String> {
        let text = format!(
            "version: 1
name: p
workers: {{ w1: {{}}, w2: {{}} }}
paths:
  - {{ name: there, from: w1, to: w2, via: pod_ip }}
  - {{ name: again, from: w1, to: w2, via: cluster_ip }}
  - {{ name: back, from: w2, to: w1, via: pod_ip }}
tests: [{{ name: t, paths: {paths}, together: true, {tool}: {{}} }}]
"
        );
        let plan = plan::load(Source::new("p.yaml", text), &[]).unwrap();
        Some(port_conflict(&plan)?.what)
    }

    #[test]
    fn each_server_needs_a_port_of_its_own() {
        for tool in ["iperf3", "netperf"] {
            assert_eq!(conflict("[there, back]", tool), None);
            let what = conflict("[there, back, again]", tool).unwrap();
            assert!(what.contains("of `there` and of `again`"), "{what}");
        }
    }
}

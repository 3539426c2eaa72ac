//! Which machines a run measured: only runs of equal machines have figures that can be compared.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Environment, IMPORTED, JoinedWorker};

/// What decides whether the absolute figures of two runs can be compared. What is unknown matches
/// anything, so this is not an equivalence: use [`MachineKey::matches`], not `==`.
///
/// Clock speeds and names of hosts are left out: they change from one start of the same machine to
/// the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MachineKey {
    /// Where the workers ran: `local`, `kubernetes` or `imported`.
    pub cluster: Option<String>,
    /// Nodes on which workers ran.
    pub nodes: Option<usize>,
    /// CPU models of these nodes; empty if unknown.
    pub cpus: BTreeSet<String>,
    /// Numbers of CPUs that the workers could use; empty if unknown.
    pub cores: BTreeSet<u32>,
    /// Architectures, e.g. `x86_64`; empty if unknown.
    pub architectures: BTreeSet<String>,
}

impl MachineKey {
    /// The machines that a run's environment describes.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> MachineKey {
        let workers = || environment.workers.values();
        let texts = |text: fn(&JoinedWorker) -> &String| -> BTreeSet<String> {
            let known = workers().map(text).filter(|text| !text.is_empty());
            known.cloned().collect()
        };
        let is_emulated = workers().any(|worker| worker.environment.emulated);
        let kind = environment.cluster.as_ref().map(|it| it.kind.clone());
        // Imported results may name the node of one end only.
        let knows_nodes = kind.as_deref() != Some(IMPORTED);
        MachineKey {
            cluster: kind.or_else(|| is_emulated.then(|| "local".to_owned())),
            nodes: Some(texts(|worker| &worker.node).len())
                .filter(|nodes| knows_nodes && *nodes > 0),
            cpus: texts(|worker| &worker.environment.cpu),
            cores: workers()
                .map(|worker| worker.environment.cores)
                .filter(|cores| *cores > 0)
                .collect(),
            architectures: texts(|worker| &worker.environment.architecture),
        }
    }

    /// Whether both may be the same kind of machine: they differ in nothing that both know.
    #[must_use]
    pub fn matches(&self, other: &MachineKey) -> bool {
        self.differences(other).is_empty()
    }

    /// What both know and what differs: its name, and the value of each.
    #[must_use]
    pub fn differences(&self, other: &MachineKey) -> Vec<(&'static str, String, String)> {
        let others = other.parts();
        let pairs = self.parts().into_iter().zip(others);
        pairs
            .filter(|((_, one), (_, two))| !one.is_empty() && !two.is_empty() && one != two)
            .map(|((name, one), (_, two))| (name, one, two))
            .collect()
    }

    /// Each part with its name; an unknown one is empty.
    fn parts(&self) -> [(&'static str, String); 5] {
        let nodes = self.nodes.map(|nodes| nodes.to_string());
        [
            ("cluster", self.cluster.clone().unwrap_or_default()),
            ("nodes", nodes.unwrap_or_default()),
            ("CPU", join(&self.cpus)),
            ("CPUs", join(&self.cores)),
            ("architecture", join(&self.architectures)),
        ]
    }
}

impl fmt::Display for MachineKey {
    /// `Intel(R) Xeon(R) Processor, 2 CPUs, x86_64, 2 nodes, local`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cluster, nodes, cpu, cores, architecture] = self.parts().map(|(_, value)| value);
        let counted = |count: String, what: &str| match count.as_str() {
            "" => String::new(),
            "1" => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let parts = [
            cpu,
            counted(cores, "CPU"),
            architecture,
            counted(nodes, "node"),
            cluster,
        ];
        let known: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if known.is_empty() {
            return f.write_str("unknown machine");
        }
        f.write_str(&known.join(", "))
    }
}

fn join<T: fmt::Display>(values: &BTreeSet<T>) -> String {
    let values: Vec<String> = values.iter().map(T::to_string).collect();
    values.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xeon() -> MachineKey {
        MachineKey {
            cluster: Some("local".to_owned()),
            nodes: Some(2),
            cpus: BTreeSet::from(["Xeon".to_owned()]),
            cores: BTreeSet::from([2]),
            architectures: BTreeSet::from(["x86_64".to_owned()]),
        }
    }

    #[test]
    fn what_is_unknown_matches_anything() {
        let known = xeon();
        assert!(known.matches(&known));
        assert!(known.matches(&MachineKey::default()));
        let other = MachineKey {
            cpus: BTreeSet::from(["EPYC".to_owned()]),
            cores: BTreeSet::new(),
            ..xeon()
        };
        assert!(!known.matches(&other));
        let differences = known.differences(&other);
        assert_eq!(differences, [("CPU", "Xeon".to_owned(), "EPYC".to_owned())]);
    }

    #[test]
    fn a_key_reads_as_a_sentence_does() {
        assert_eq!(xeon().to_string(), "Xeon, 2 CPUs, x86_64, 2 nodes, local");
        assert_eq!(MachineKey::default().to_string(), "unknown machine");
    }
}

//! Faults: what the local cluster breaks while a test runs.

use serde::Serialize;

use super::local::EmulatedNode;
use super::units::Percent;

/// Something that is broken for a while. Serialises as plans write it: `cut: [node-1, node-2]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No packet passes between two nodes, in either direction.
    Cut([EmulatedNode; 2]),
    /// A share of the packets between two nodes is lost.
    Loss(LossyLink),
    /// The rules of a worker's Service are removed from all nodes.
    RemoveService(String),
    /// All processes of a worker's pod stop.
    Freeze(String),
}

/// Two nodes, and the share of packets that is lost between them, by chance, in each direction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossyLink {
    pub between: [EmulatedNode; 2],
    pub percent: Percent,
}

impl Fault {
    /// The key that a plan writes it with.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Cut(_) => "cut",
            Self::Loss(_) => "loss",
            Self::RemoveService(_) => "remove_service",
            Self::Freeze(_) => "freeze",
        }
    }

    /// The nodes whose link it breaks.
    #[must_use]
    pub fn link(&self) -> Option<[EmulatedNode; 2]> {
        match self {
            Self::Cut(between) | Self::Loss(LossyLink { between, .. }) => Some(*between),
            Self::RemoveService(_) | Self::Freeze(_) => None,
        }
    }

    /// The worker that it breaks.
    #[must_use]
    pub fn worker(&self) -> Option<&str> {
        match self {
            Self::RemoveService(worker) | Self::Freeze(worker) => Some(worker),
            Self::Cut(_) | Self::Loss(_) => None,
        }
    }

    /// The same fault of another worker, e.g. of the one that stands for it in a variant. `rename` gets the name of
    /// the worker.
    #[must_use]
    pub fn with_worker(&self, rename: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::RemoveService(worker) => Self::RemoveService(rename(worker)),
            Self::Freeze(worker) => Self::Freeze(rename(worker)),
            Self::Cut(_) | Self::Loss(_) => self.clone(),
        }
    }

    /// Whether both break the same thing in the same way, so that they cannot be on at the same time.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let ends = |fault: &Self| {
            let mut link = fault.link()?;
            link.sort_unstable();
            Some(link)
        };
        self.key() == other.key() && ends(self) == ends(other) && self.worker() == other.worker()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_a_plan_has_it() {
        let nodes = [EmulatedNode(1), EmulatedNode(12)];
        let written = |fault: &Fault| serde_json::to_string(fault).unwrap();
        assert_eq!(
            written(&Fault::Cut(nodes)),
            r#"{"cut":["node-1","node-12"]}"#
        );
        let loss = Fault::Loss(LossyLink {
            between: nodes,
            percent: Percent(2.5),
        });
        assert_eq!(
            written(&loss),
            r#"{"loss":{"between":["node-1","node-12"],"percent":"2.5%"}}"#
        );
        assert_eq!(
            written(&Fault::RemoveService("w2".to_owned())),
            r#"{"remove_service":"w2"}"#
        );
    }

    #[test]
    fn faults_of_the_same_kind_and_target_conflict() {
        let [one, two, three] = [1, 2, 3].map(EmulatedNode);
        let cut = Fault::Cut([one, two]);
        assert!(cut.conflicts_with(&Fault::Cut([two, one])));
        assert!(!cut.conflicts_with(&Fault::Cut([two, three])));
        let loss = |percent| {
            Fault::Loss(LossyLink {
                between: [two, one],
                percent: Percent(percent),
            })
        };
        assert!(!cut.conflicts_with(&loss(1.0)));
        assert!(loss(1.0).conflicts_with(&loss(2.0)));
        let freeze = Fault::Freeze("w1".to_owned());
        assert!(freeze.conflicts_with(&freeze));
        assert!(!freeze.conflicts_with(&freeze.with_worker(|name| format!("{name}-b"))));
        assert!(!freeze.conflicts_with(&Fault::RemoveService("w1".to_owned())));
    }
}

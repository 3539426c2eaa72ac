//! The address families that a plan needs of a cluster.

use std::collections::BTreeSet;

use crate::diag::Problem;
use crate::plan::{Family, Plan, Via};

/// A key of a plan that needs a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyNeed {
    pub family: Family,
    /// The key, and where it is, for people.
    pub key: String,
    /// The worker whose Service needs an address of the family.
    pub service_of: Option<String>,
}

impl FamilyNeed {
    /// The problem of a cluster that does not have the family.
    #[must_use]
    pub fn problem(&self, why: &str) -> Problem {
        let family = self.family.name();
        Problem::without_place(format!("{} needs {family}: {why}", self.key)).help(format!(
            "run the plan on a cluster with {family} addresses for pods and Services, or remove the key"
        ))
    }
}

/// The keys that need a family, one for each family and use of it; none for a plan that leaves the family to the
/// cluster.
#[must_use]
pub fn needed_families(plan: &Plan) -> Vec<FamilyNeed> {
    let mut needs = Vec::new();
    if let Some(family) = plan.kubernetes.ip_family {
        needs.push(FamilyNeed {
            family,
            key: "`kubernetes.ip_family`".to_owned(),
            service_of: None,
        });
    }
    let mut seen = BTreeSet::new();
    for path in &plan.paths {
        let Some(family) = path.family else {
            continue;
        };
        let service_of = (path.via == Via::ClusterIp).then(|| path.to.clone());
        // A mesh has many paths.
        if seen.insert((family, service_of.is_some())) {
            needs.push(FamilyNeed {
                family,
                key: format!("`family` of path `{}`", path.name),
                service_of,
            });
        }
    }
    needs
}

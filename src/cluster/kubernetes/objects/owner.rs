//! A Job that owns a run: the cluster removes the run's objects with it.

use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::{api_error, code};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::labels::selector;
use crate::render::Manifest;

/// As many digits as every run's id has.
const ID_DIGITS: usize = 8;

/// A Job that owns a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    job: String,
    uid: String,
    run: String,
}

/// How much of a run is in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No pod of it can have started.
    Absent,
    /// Whoever applied it did not get to the end.
    Partial,
    Complete,
}

impl Owner {
    /// The owner of this name and uid. The run's id is made of the uid, so that a Job has one run, however
    /// often its pod starts.
    fn new(job: &str, uid: &str) -> Option<Self> {
        let digits = uid.chars().filter(char::is_ascii_hexdigit);
        let run: String = digits.take(ID_DIGITS).collect();
        (run.len() == ID_DIGITS).then(|| Self {
            job: job.to_owned(),
            uid: uid.to_owned(),
            run: run.to_ascii_lowercase(),
        })
    }

    /// The id of its run.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run
    }

    pub(super) fn reference(&self) -> Value {
        json!({ "apiVersion": "batch/v1", "kind": "Job", "name": self.job, "uid": self.uid })
    }
}

impl Presence {
    /// Jobs are applied last.
    fn new(manifests: &[Manifest], found: &[&str]) -> Self {
        let mut jobs = manifests.iter().filter(|one| one.kind() == "Job");
        if found.is_empty() {
            Self::Absent
        } else if jobs.all(|job| found.contains(&job.name())) {
            Self::Complete
        } else {
            Self::Partial
        }
    }
}

impl Connection {
    /// The Job of a namespace, as the owner of a run.
    ///
    /// # Errors
    /// When there is no such Job, or it cannot be read.
    pub async fn owner(&self, namespace: &str, job: &str) -> Result<Owner, Error> {
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        let what = format!("give the run to Job `{job}`");
        let found = match self.ask(api.get(job)).await {
            Ok(found) => found,
            Err(error) if code(&error) == Some(404) => {
                let why = format!("namespace `{namespace}` has no such Job");
                return Err(Error::cannot(
                    what,
                    why,
                    "`--owner` takes the name of a Job in the run's namespace",
                ));
            }
            Err(error) => return Err(api_error(what, &error)),
        };
        let uid = found.metadata.uid.unwrap_or_default();
        Owner::new(job, &uid).ok_or_else(|| {
            let why = format!("its uid `{uid}` has fewer than {ID_DIGITS} hexadecimal digits");
            Error::cannot(what, why, "leave `--owner` out")
        })
    }

    /// How much of a run is there.
    ///
    /// # Errors
    /// When its Jobs cannot be listed.
    pub async fn presence(
        &self,
        namespace: &str,
        run: &str,
        manifests: &[Manifest],
    ) -> Result<Presence, Error> {
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        let params = ListParams::default().labels(&selector(run));
        let found = self.ask(api.list_metadata(&params)).await;
        let found = found.map_err(|error| api_error("look for the run's Jobs", &error))?;
        let names = found.items.iter();
        let names = names.filter_map(|job| job.metadata.name.as_deref());
        Ok(Presence::new(manifests, &names.collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_id_is_the_start_of_the_jobs_uid() {
        let owner = Owner::new("bench", "0BADcafe-1234-4567-89ab-0123456789ab").unwrap();
        assert_eq!(owner.run_id(), "0badcafe");
        assert_eq!(
            owner.reference()["uid"],
            "0BADcafe-1234-4567-89ab-0123456789ab"
        );
        assert_eq!(Owner::new("bench", "xyz-123"), None);
    }

    #[test]
    fn a_run_is_complete_once_all_its_jobs_are_there() {
        let object = |kind: &str, name: &str| Manifest {
            template: String::new(),
            text: String::new(),
            object: json!({ "kind": kind, "metadata": { "name": name } }),
        };
        let manifests = [
            object("ConfigMap", "plan"),
            object("Job", "o"),
            object("Job", "w1"),
        ];
        let presence = |found: &[&str]| Presence::new(&manifests, found);
        assert_eq!(presence(&[]), Presence::Absent);
        assert_eq!(presence(&["o"]), Presence::Partial);
        assert_eq!(presence(&["w1", "o"]), Presence::Complete);
    }
}

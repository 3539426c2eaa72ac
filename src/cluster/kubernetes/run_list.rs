//! The runs that have objects in a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStatus, Pod};
use kube::Api;
use kube::api::{ListParams, ObjectMeta, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::api_error::{api_error, code};
use super::connection::Connection;
use super::labels::{NAME_LABEL, NETPLAN, PLAN_LABEL, ROLE_LABEL, RUN_LABEL, VERSION_LABEL};
use super::pods::job_outcome::{JobOutcome, job_outcome};
use super::pods::status::{Stage, current_pod, is_leaving, pod_state, rendered_name};
use crate::cluster::Error;
use crate::plan::NAMESPACE;

/// A run that has objects in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    pub id: String,
    /// The plan's name, as far as something is there that tells.
    pub plan: Option<String>,
    pub namespace: String,
    pub state: State,
    /// When its first object was made.
    pub created: Option<Timestamp>,
    /// The version of netplan that made it.
    pub version: Option<String>,
    /// How many workers there are, and how many of them are up or done.
    pub workers: u32,
    pub workers_up: u32,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its pods are on their way up.
    Starting,
    Running,
    /// Its orchestrator has done its work.
    Finished,
    /// Its orchestrator has been given up.
    Failed,
    /// The orchestrator is gone; other objects remain.
    Remains,
    /// It is being removed.
    Leaving,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Remains => "remains",
            Self::Leaving => "leaving",
        })
    }
}

impl Connection {
    /// The runs in the settings' namespace, else in all namespaces, else (without the permission for
    /// that) in the namespace that runs use by default and in the kubeconfig's; the oldest first.
    ///
    /// # Errors
    /// When the permission is missing.
    pub async fn runs(&self) -> Result<Vec<Run>, Error> {
        let found = self.find_runs().await;
        found.map_err(|error| api_error("list the runs", &error))
    }

    /// The same; none without the permission to list them.
    ///
    /// # Errors
    /// When the API server fails.
    pub async fn permitted_runs(&self) -> Result<Vec<Run>, Error> {
        match self.find_runs().await {
            Err(error) if code(&error) == Some(403) => Ok(Vec::new()),
            found => found.map_err(|error| api_error("list the runs", &error)),
        }
    }

    async fn find_runs(&self) -> kube::Result<Vec<Run>> {
        match &self.namespace {
            Some(namespace) => self.runs_in(Some(namespace)).await,
            None => match self.runs_in(None).await {
                Err(error) if code(&error) == Some(403) => self.runs_in_own_namespaces().await,
                found => found,
            },
        }
    }

    /// The runs in the default namespace and in the kubeconfig's, as far as one of them can be read.
    async fn runs_in_own_namespaces(&self) -> kube::Result<Vec<Run>> {
        let default = self.runs_in(Some(NAMESPACE)).await;
        if self.home == NAMESPACE {
            return default;
        }
        match (default, self.runs_in(Some(&self.home)).await) {
            (Ok(mut runs), Ok(others)) => {
                runs.extend(others);
                runs.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
                Ok(runs)
            }
            (Ok(runs), Err(_)) | (Err(_), Ok(runs)) => Ok(runs),
            (Err(error), Err(_)) => Err(error),
        }
    }

    async fn runs_in(&self, namespace: Option<&str>) -> kube::Result<Vec<Run>> {
        let labels = ListParams::default().labels(&format!("{NAME_LABEL}={NETPLAN},{RUN_LABEL}"));
        let plans: Api<ConfigMap> = self.api(namespace);
        // Without the plans in them.
        let plans = self.ask(plans.list_metadata(&labels)).await?.items;
        let plans = plans.into_iter().map(|plan| plan.metadata).collect();
        let jobs = self.ask(self.api(namespace).list(&labels)).await?.items;
        let pods = self.ask(self.api(namespace).list(&labels)).await?.items;
        Ok(runs(plans, jobs, &pods))
    }

    fn api<K>(&self, namespace: Option<&str>) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + DeserializeOwned,
        K::DynamicType: Default,
    {
        match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }
}

/// Groups the objects by run.
fn runs(plans: Vec<ObjectMeta>, jobs: Vec<Job>, pods: &[Pod]) -> Vec<Run> {
    let mut runs: BTreeMap<(String, String), Run> = BTreeMap::new();
    for plan in plans {
        run_of_object(&mut runs, &plan);
    }
    // A worker is one however many pods it has had, and before it has any.
    let mut workers: BTreeSet<(String, String, String)> = BTreeSet::new();
    for job in jobs {
        let name = job.metadata.name.clone().unwrap_or_default();
        let is_worker = role(&job.metadata) == Some("worker");
        let Some(run) = run_of_object(&mut runs, &job.metadata) else {
            continue;
        };
        if is_worker {
            workers.insert((run.namespace.clone(), run.id.clone(), name));
            continue;
        }
        run.state = match job_outcome(&job) {
            Some(JobOutcome::Complete) => State::Finished,
            Some(JobOutcome::Failed) => State::Failed,
            None => State::Starting,
        };
    }
    for pod in pods {
        let is_worker = role(&pod.metadata) == Some("worker");
        let Some(run) = run_of_object(&mut runs, &pod.metadata) else {
            continue;
        };
        if is_worker {
            workers.insert((run.namespace.clone(), run.id.clone(), rendered_name(pod)));
        } else if run.state == State::Starting || run.state == State::Running {
            // The Job's own conditions come later than its pod's.
            run.state = match pod_state(pod).stage {
                _ if has_completed(pod) => State::Finished,
                Stage::Ready => State::Running,
                _ => run.state,
            };
        }
    }
    for (namespace, id, worker) in workers {
        let pod = current_pod(pods, &worker);
        let is_up = pod.is_some_and(|pod| pod_state(pod).stage >= Stage::Ready);
        if let Some(run) = runs.get_mut(&(namespace, id)) {
            run.workers += 1;
            run.workers_up += u32::from(is_up);
        }
    }
    for ((namespace, id), run) in &mut runs {
        // The Job goes before its pods; a pod that is not being deleted keeps the run from counting as leaving.
        let mut left = pods.iter().filter(|pod| {
            let labels = pod.metadata.labels.as_ref();
            pod.metadata.namespace.as_deref() == Some(namespace)
                && labels.and_then(|labels| labels.get(RUN_LABEL)) == Some(id)
        });
        let first = left.next();
        if run.state == State::Remains && first.is_some_and(is_leaving) && left.all(is_leaving) {
            run.state = State::Leaving;
        }
    }
    let mut runs: Vec<Run> = runs.into_values().collect();
    runs.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    runs
}

/// Whether its work is done: all containers have exited with 0, although the pod's phase may not say so yet.
fn has_completed(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let statuses = status.and_then(|status| status.container_statuses.as_deref());
    let exited = |container: &ContainerStatus| {
        let ended = container
            .state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        ended.is_some_and(|ended| ended.exit_code == 0)
    };
    pod_state(pod).stage == Stage::Over
        || statuses.is_some_and(|all| !all.is_empty() && all.iter().all(exited))
}

fn role(metadata: &ObjectMeta) -> Option<&str> {
    let labels = metadata.labels.as_ref()?;
    labels.get(ROLE_LABEL).map(String::as_str)
}

/// The run that an object belongs to.
fn run_of_object<'a>(
    runs: &'a mut BTreeMap<(String, String), Run>,
    metadata: &ObjectMeta,
) -> Option<&'a mut Run> {
    let labels = metadata.labels.as_ref()?;
    let id = labels.get(RUN_LABEL)?;
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let created = metadata.creation_timestamp.as_ref().map(|time| time.0);
    let run = runs
        .entry((namespace.clone(), id.clone()))
        .or_insert_with(|| Run {
            id: id.clone(),
            plan: None,
            namespace,
            state: State::Remains,
            created,
            version: labels.get(VERSION_LABEL).cloned(),
            workers: 0,
            workers_up: 0,
        });
    run.plan = run.plan.take().or_else(|| labels.get(PLAN_LABEL).cloned());
    run.created = match (run.created, created) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Some(run)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The state of a run whose orchestrator's pod has this status, and its Job none yet.
    fn state_with(status: &Value) -> State {
        let metadata = |name: &str| {
            json!({
                "name": name, "namespace": "netplan",
                "labels": {NAME_LABEL: NETPLAN, RUN_LABEL: "0badcafe", ROLE_LABEL: "orchestrator"},
            })
        };
        let job = serde_json::from_value(json!({"metadata": metadata("job")})).unwrap();
        let pod = json!({"metadata": metadata("pod"), "spec": {"nodeName": "n1", "containers": []}, "status": status});
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let runs = runs(vec![], vec![job], &[pod]);
        runs[0].state
    }

    #[test]
    fn a_run_whose_orchestrator_has_exited_is_finished_before_its_job_says_so() {
        let container = |state: Value| json!([{"name": "o", "ready": false, "restartCount": 0, "image": "", "imageID": "", "state": state}]);
        let running = container(json!({"running": {}}));
        let exited = |code| container(json!({"terminated": {"exitCode": code}}));
        let phase = |phase, containers| json!({"phase": phase, "containerStatuses": containers});
        for (status, expected) in [
            (json!({"phase": "Pending"}), State::Starting),
            (phase("Running", running), State::Running),
            (phase("Running", exited(0)), State::Finished),
            (phase("Succeeded", exited(0)), State::Finished),
            (phase("Running", exited(1)), State::Starting),
        ] {
            assert_eq!(state_with(&status), expected, "{status}");
        }
    }
}

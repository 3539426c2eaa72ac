//! Why a pod of a run that is followed does not come back: a quota, an admission rule, no node, no image.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use crate::cluster::kubernetes::pods::job_outcome::job_outcome;
use crate::cluster::kubernetes::pods::status::{
    PodIssue, Stage, current_pod, is_leaving, phase, pod_state, rendered_name,
};

/// When the newest pod of each rendered name was made. What the cluster said before that has passed.
#[derive(Debug, Default)]
pub(super) struct Births(Mutex<BTreeMap<String, Time>>);

impl Births {
    /// Takes note of a pod.
    pub fn note(&self, pod: &Pod) {
        let Some(made) = pod.metadata.creation_timestamp.clone() else {
            return;
        };
        let mut births = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = births
            .entry(rendered_name(pod))
            .or_insert_with(|| made.clone());
        if newest.0 < made.0 {
            *newest = made;
        }
    }

    fn of(&self, name: &str) -> Option<Time> {
        let births = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        births.get(name).cloned()
    }
}

/// Whether a Job waits for its pod, as far as its own status says. Before Kubernetes 1.24 it does not say whether
/// the pod is ready.
pub(super) fn waits(job: &Job) -> bool {
    let ready = job.status.as_ref().and_then(|status| status.ready);
    let is_ready = ready.is_some_and(|ready| ready > 0);
    job.metadata.deletion_timestamp.is_none() && job_outcome(job).is_none() && !is_ready
}

/// A sentence for the first of the Jobs whose pod does not come back, and why. Silent where nobody says why.
pub(super) fn hindrance(
    jobs: &[Job],
    pods: &[Pod],
    events: &[Event],
    births: &Births,
) -> Option<String> {
    jobs.iter().filter(|job| waits(job)).find_map(|job| {
        let name = job.name_any();
        let issue = match current_pod(pods, &name) {
            Some(pod) if is_leaving(pod) => return None,
            Some(pod) if phase(pod) != "Failed" => issue_of(pod)?,
            _ => refusal(&name, events, births.of(&name).as_ref())?,
        };
        Some(format!("pod `{name}` is not back: {}", issue.cause()))
    })
}

/// What keeps a pod from starting. One that has run is told of by its ends.
fn issue_of(pod: &Pod) -> Option<PodIssue> {
    let state = pod_state(pod);
    let issue = state
        .issue
        .filter(|issue| issue.reason != "CrashLoopBackOff")?;
    matches!(state.stage, Stage::Unplaced | Stage::Placed).then_some(issue)
}

/// The last refusal to make a Job's pod, after its last pod was made.
fn refusal(job: &str, events: &[Event], born: Option<&Time>) -> Option<PodIssue> {
    let is_about = |event: &&Event| {
        let subject = &event.involved_object;
        subject.kind.as_deref() == Some("Job")
            && subject.name.as_deref() == Some(job)
            && event.reason.as_deref() == Some("FailedCreate")
    };
    let is_news = |event: &&Event| match (&event.last_timestamp, born) {
        (Some(said), Some(born)) => said.0 >= born.0,
        _ => true,
    };
    let said = events.iter().filter(is_about).filter(is_news);
    let last = said.max_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0))?;
    Some(PodIssue {
        reason: "FailedCreate".to_owned(),
        message: last.message.clone().unwrap_or_default(),
        is_final: false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BEFORE: &str = "2026-01-01T00:00:00Z";
    const MADE: &str = "2026-01-01T00:01:00Z";
    const AFTER: &str = "2026-01-01T00:02:00Z";

    fn job(status: &Value) -> Job {
        serde_json::from_value(json!({ "metadata": { "name": "np-w3" }, "status": status }))
            .unwrap()
    }

    fn pod(status: &Value) -> Pod {
        let owners = json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": "np-w3", "uid": "j", "controller": true,
        }]);
        let metadata =
            json!({ "name": "np-w3-x7", "creationTimestamp": MADE, "ownerReferences": owners });
        serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
    }

    fn refused(job: &str, at: &str) -> Event {
        let message = "Error creating: pods \"np-w3-abcde\" is forbidden: exceeded quota: few, \
                       requested: pods=1, used: pods=3, limited: pods=3";
        serde_json::from_value(json!({
            "metadata": {},
            "involvedObject": { "kind": "Job", "name": job },
            "reason": "FailedCreate",
            "message": message,
            "lastTimestamp": at,
        }))
        .unwrap()
    }

    fn births() -> Births {
        let births = Births::default();
        births.note(&pod(&json!({})));
        births
    }

    #[test]
    fn a_quota_that_refuses_the_next_pod_is_named() {
        let waiting = [job(&json!({ "active": 0 }))];
        let refused = [refused("np-w3", AFTER)];
        assert_eq!(
            hindrance(&waiting, &[], &refused, &births()).unwrap(),
            "pod `np-w3` is not back: FailedCreate: exceeded quota: few, requested: pods=1, used: pods=3, \
             limited: pods=3"
        );
        let failed = pod(&json!({ "phase": "Failed" }));
        assert!(hindrance(&waiting, &[failed], &refused, &births()).is_some());
        // A run that this process has not seen from its beginning.
        assert!(hindrance(&waiting, &[], &refused, &Births::default()).is_some());
    }

    #[test]
    fn what_has_passed_or_is_about_others_is_not_said() {
        let waiting = [job(&json!({}))];
        for other in [refused("np-w3", BEFORE), refused("np-w2", AFTER)] {
            assert_eq!(hindrance(&waiting, &[], &[other], &births()), None);
        }
        let refused = [refused("np-w3", AFTER)];
        let leaving = {
            let mut pod = pod(&json!({ "phase": "Running" }));
            pod.metadata.deletion_timestamp = pod.metadata.creation_timestamp.clone();
            pod
        };
        assert_eq!(hindrance(&waiting, &[leaving], &refused, &births()), None);
        let over = json!({ "conditions": [{ "type": "Failed", "status": "True" }] });
        for status in [json!({ "active": 1, "ready": 1 }), over] {
            assert_eq!(hindrance(&[job(&status)], &[], &refused, &births()), None);
        }
    }

    #[test]
    fn a_pod_without_a_node_or_an_image_is_said_and_one_that_crashes_is_not() {
        let waiting = [job(&json!({ "active": 1, "ready": 0 }))];
        let said = |node: &Value, status: &Value| {
            let mut pod = serde_json::to_value(pod(status)).unwrap();
            pod["spec"] = json!({ "nodeName": node, "containers": [] });
            let pod = serde_json::from_value(pod).unwrap();
            hindrance(&waiting, &[pod], &[], &births())
        };
        let node = json!("n1");
        let unplaced = json!({ "phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes are available",
        }] });
        assert_eq!(
            said(&Value::Null, &unplaced).unwrap(),
            "pod `np-w3` is not back: Unschedulable: 0/2 nodes are available"
        );
        let waiting_for = |reason: &str| {
            json!({ "phase": "Pending", "containerStatuses": [{
                "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": { "waiting": { "reason": reason, "message": "m" } },
            }] })
        };
        assert!(said(&node, &waiting_for("ErrImagePull")).is_some());
        assert_eq!(said(&node, &waiting_for("CrashLoopBackOff")), None);
        assert_eq!(said(&node, &json!({ "phase": "Running" })), None);
    }
}

//! Whether a Job has done its work, or has been given up.

use k8s_openapi::api::batch::v1::Job;

/// How a Job has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    Complete,
    Failed,
}

/// How a Job has ended; `None` while it makes pods. From Kubernetes 1.31 on the conditions `Complete` and `Failed` wait for
/// the Job's pods to be gone, and others say before what they will be. Its count of pods may say so before all
/// conditions.
pub fn job_outcome(job: &Job) -> Option<JobOutcome> {
    let status = job.status.as_ref()?;
    let is = |kinds: [&str; 2]| {
        let mut conditions = status.conditions.iter().flatten();
        conditions.any(|condition| {
            kinds.contains(&condition.type_.as_str()) && condition.status == "True"
        })
    };
    let uncounted = status.uncounted_terminated_pods.as_ref();
    let has_succeeded = status.succeeded.is_some_and(|pods| pods > 0)
        || uncounted
            .and_then(|pods| pods.succeeded.as_ref())
            .is_some_and(|pods| !pods.is_empty());
    if is(["Failed", "FailureTarget"]) {
        Some(JobOutcome::Failed)
    } else if is(["Complete", "SuccessCriteriaMet"]) || has_succeeded {
        Some(JobOutcome::Complete)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_job_has_ended_before_its_pods_are_gone() {
        use JobOutcome::{Complete, Failed};
        let condition = |kind: &str, status: &str| json!({ "conditions": [{ "type": kind, "status": status }] });
        let uncounted = |succeeded: Value| json!({ "uncountedTerminatedPods": succeeded });
        for (status, expected) in [
            (Value::Null, None),
            (json!({ "active": 1, "failed": 2 }), None),
            (condition("Suspended", "True"), None),
            (condition("Complete", "False"), None),
            (condition("Complete", "True"), Some(Complete)),
            (condition("SuccessCriteriaMet", "True"), Some(Complete)),
            (json!({ "succeeded": 1 }), Some(Complete)),
            (uncounted(json!({ "succeeded": ["u"] })), Some(Complete)),
            (uncounted(json!({ "failed": ["u"] })), None),
            (condition("Failed", "True"), Some(Failed)),
            (condition("FailureTarget", "True"), Some(Failed)),
        ] {
            let job = json!({ "metadata": {}, "status": status });
            let job = serde_json::from_value(job).unwrap();
            assert_eq!(job_outcome(&job), expected, "{status}");
        }
    }
}

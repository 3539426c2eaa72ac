//! Which processes have ended, from the successive statuses of pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};

use super::status::{containers, controller, is_leaving, phase, rendered_name};
use crate::cluster::kubernetes::api_error::one_line;
use crate::cluster::{Exit, Next};

/// The pods of a run and how often their processes have ended.
#[derive(Debug, Default)]
pub struct Terminations {
    pods: BTreeMap<String, PodHistory>,
}

#[derive(Debug, Default)]
struct PodHistory {
    restarts: u32,
    over: bool,
}

/// A process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// The rendered name.
    pub pod: String,
    /// The pod's own name, for its log; `None` when the log is gone with it.
    pub log_of: Option<String>,
    /// The log is that of the container before.
    pub previous: bool,
    pub exit: Exit,
    pub next: Next,
    /// The cluster's reason.
    pub why: Option<String>,
    /// The Job that may make another pod, or give up.
    pub job: Option<String>,
}

impl Terminations {
    /// A pod as it is now. `first` when nothing was known of it before the watch began: what had
    /// happened by then is not news.
    pub fn observe(&mut self, pod: &Pod, first: bool) -> Option<Termination> {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let count: u32 = containers(pod)
            .map(|container| u32::try_from(container.restart_count).unwrap_or_default())
            .sum();
        let history = self.pods.entry(uid).or_default();
        let restarted = count > history.restarts;
        history.restarts = history.restarts.max(count);
        let phase = phase(pod);
        if matches!(phase, "Succeeded" | "Failed") {
            let news = !std::mem::replace(&mut history.over, true);
            return (news && !first).then(|| last_termination(pod));
        }
        if !restarted || first {
            return None;
        }
        let last = containers(pod).find_map(|container| {
            container
                .last_state
                .as_ref()
                .and_then(|state| state.terminated.as_ref())
        });
        Some(Termination {
            next: Next::Restarted(count),
            previous: true,
            ..termination(pod, last)
        })
    }

    /// A pod is gone.
    pub fn observe_deletion(&mut self, pod: &Pod) -> Option<Termination> {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let history = self.pods.remove(&uid).unwrap_or_default();
        (!history.over).then(|| Termination {
            exit: Exit::Removed,
            log_of: None,
            why: Some("the pod was deleted".to_owned()),
            ..last_termination(pod)
        })
    }
}

fn last_termination(pod: &Pod) -> Termination {
    let terminated = containers(pod).find_map(|container| {
        container
            .state
            .as_ref()
            .and_then(|state| state.terminated.as_ref())
    });
    let has_controller = controller(pod).is_some();
    let done = phase(pod) == "Succeeded";
    Termination {
        next: if has_controller && !done {
            Next::Replaced
        } else {
            Next::Stays
        },
        ..termination(pod, terminated)
    }
}

fn termination(pod: &Pod, terminated: Option<&ContainerStateTerminated>) -> Termination {
    let status = pod.status.as_ref();
    let own = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    let why = own(status.and_then(|status| status.reason.as_ref())).map(|reason| {
        match own(status.and_then(|status| status.message.as_ref())) {
            Some(message) => format!("{reason}: {}", one_line(&message)),
            None => reason,
        }
    });
    let of_container = terminated
        .and_then(|terminated| own(terminated.reason.as_ref()))
        .filter(|reason| !matches!(reason.as_str(), "Error" | "Completed"));
    Termination {
        pod: rendered_name(pod),
        log_of: pod.metadata.name.clone().filter(|_| !is_leaving(pod)),
        previous: false,
        exit: match terminated {
            Some(terminated) => exit(terminated),
            None => Exit::Removed,
        },
        next: Next::Stays,
        why: why.or(of_container),
        job: match controller(pod) {
            Some(("Job", name)) => Some(name.to_owned()),
            _ => None,
        },
    }
}

/// Runtimes tell of a signal as a shell does, by 128 and its number.
fn exit(terminated: &ContainerStateTerminated) -> Exit {
    match (terminated.signal, terminated.exit_code) {
        (Some(signal), _) if signal > 0 => Exit::Signal(signal),
        (_, code @ 129..=159) => Exit::Signal(code - 128),
        (_, code) => Exit::Code(code),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value, controlled: bool) -> Pod {
        let owners = if controlled {
            json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "np-o", "uid": "j", "controller": true}])
        } else {
            json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "np", "uid": "c"}])
        };
        serde_json::from_value(json!({
            "metadata": {"name": "np-o-x1y2z", "uid": "u", "ownerReferences": owners},
            "status": status,
        }))
        .unwrap()
    }

    fn running(restarts: u32, last: &Value) -> Value {
        json!({"phase": "Running", "containerStatuses": [{
            "name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": restarts,
            "state": {"running": {}}, "lastState": last,
        }]})
    }

    #[test]
    fn a_restart_is_told_once() {
        let mut terminations = Terminations::default();
        assert_eq!(
            terminations.observe(&pod(&running(0, &json!({})), true), false),
            None
        );
        let killed = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        let again = pod(&running(1, &killed), true);
        let ended = terminations.observe(&again, false).unwrap();
        assert_eq!(ended.pod, "np-o");
        assert_eq!(ended.log_of.as_deref(), Some("np-o-x1y2z"));
        assert_eq!(ended.exit, Exit::Signal(9));
        assert_eq!(ended.next, Next::Restarted(1));
        assert_eq!(ended.why.as_deref(), Some("OOMKilled"));
        assert_eq!(terminations.observe(&again, false), None);
    }

    #[test]
    fn what_was_over_before_the_watch_is_no_news() {
        let mut terminations = Terminations::default();
        let done = pod(&json!({"phase": "Succeeded"}), false);
        assert_eq!(terminations.observe(&done, true), None);
        assert_eq!(terminations.observe(&done, false), None);
        assert_eq!(terminations.observe_deletion(&done), None);
    }

    #[test]
    fn an_evicted_pod_comes_back_only_with_a_controller() {
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
        let ended = Terminations::default()
            .observe(&pod(&evicted, false), false)
            .unwrap();
        assert_eq!(ended.exit, Exit::Removed);
        assert_eq!(ended.next, Next::Stays);
        assert_eq!(ended.why.as_deref(), Some("Evicted: low on memory"));
        let ended = Terminations::default()
            .observe(&pod(&evicted, true), false)
            .unwrap();
        assert_eq!(ended.next, Next::Replaced);
        assert_eq!(ended.job.as_deref(), Some("np-o"));
    }
}

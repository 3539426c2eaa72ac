//! What a pod's status means.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

use crate::cluster::kubernetes::api_error::one_line;

/// How far a pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It has failed as a whole, or is gone; what has a controller gets another pod.
    Lost,
    /// It has no node yet.
    Unplaced,
    /// It has a node, which pulls the image and makes the container.
    Placed,
    /// Its process runs.
    Ready,
    /// It has done its work.
    Over,
}

/// Why a pod does not get on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodIssue {
    /// The cluster's word: `ImagePullBackOff`.
    pub reason: String,
    pub message: String,
    /// Waiting will not help.
    pub is_final: bool,
}

impl PodIssue {
    /// Reason and message on one line.
    pub fn text(&self) -> String {
        reason_and_message(&self.reason, &one_line(&self.message))
    }

    /// The reason and the first sentence of the message, without what differs from one attempt to the next: a
    /// controller that tries again names another pod.
    pub fn cause(&self) -> String {
        let message = one_line(&self.message);
        let why = why(&message);
        let first = why.split_once(". ").map_or(why, |(first, _)| first);
        reason_and_message(&self.reason, first)
    }
}

fn reason_and_message(reason: &str, message: &str) -> String {
    if message.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {message}")
    }
}

/// A message without the name that the API server refused.
pub fn why(message: &str) -> &str {
    message
        .split_once(" is forbidden: ")
        .map_or(message, |(_, why)| why)
}

/// What a pod's status says, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodState {
    pub uid: Option<String>,
    pub stage: Stage,
    pub issue: Option<PodIssue>,
}

/// Waiting reasons of containers that keep a pod from starting, and whether waiting will not help.
const WAITING_ISSUES: &[(&str, bool)] = &[
    ("CrashLoopBackOff", true),
    ("CreateContainerConfigError", false),
    ("CreateContainerError", false),
    ("ErrImageNeverPull", true),
    ("ErrImagePull", false),
    ("ImageInspectError", false),
    ("ImagePullBackOff", false),
    ("InvalidImageName", true),
    ("RegistryUnavailable", false),
    ("RunContainerError", false),
];

/// Whether a reason is about the image.
pub fn is_about_image(reason: &str) -> bool {
    reason.contains("Image") || reason.contains("Registry")
}

/// The name that the rendered object has: a Job's pod goes by the Job's name.
pub fn rendered_name(pod: &Pod) -> String {
    let own = pod.metadata.name.clone().unwrap_or_default();
    match controller(pod) {
        Some(("ReplicaSet", name)) => match name.rsplit_once('-') {
            Some((deployment, _)) => deployment.to_owned(),
            None => name.to_owned(),
        },
        Some((_, name)) => name.to_owned(),
        None => own,
    }
}

/// Kind and name of what makes a new pod when this one is gone.
pub fn controller(pod: &Pod) -> Option<(&str, &str)> {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| (owner.kind.as_str(), owner.name.as_str()))
}

/// Of the pods that go by a rendered name the one that counts: the newest, and one that has failed or
/// is on its way out only if there is no other.
pub fn current_pod<'a>(pods: impl IntoIterator<Item = &'a Pod>, name: &str) -> Option<&'a Pod> {
    pods.into_iter()
        .filter(|pod| rendered_name(pod) == name)
        .max_by_key(|pod| {
            let made = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (!is_leaving(pod), phase(pod) != "Failed", made)
        })
}

/// Whether the pod has been told to end.
pub fn is_leaving(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// The phase; `Pending` before there is one.
pub fn phase(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("Pending")
}

/// The containers' statuses; those of init containers come first.
pub fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        let init = status.init_container_statuses.iter().flatten();
        init.chain(status.container_statuses.iter().flatten())
    })
}

/// The status of a pod's condition, e.g. `Ready`, and its reason and message.
fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, PodIssue)> {
    let conditions = pod.status.as_ref()?.conditions.as_deref()?;
    let found = conditions
        .iter()
        .find(|condition| condition.type_ == kind)?;
    let issue = PodIssue {
        reason: found.reason.clone().unwrap_or_default(),
        message: found.message.clone().unwrap_or_default(),
        is_final: false,
    };
    Some((found.status.as_str(), issue))
}

/// What the status of a pod says.
pub fn pod_state(pod: &Pod) -> PodState {
    let (stage, issue) = state(pod);
    PodState {
        uid: pod.metadata.uid.clone(),
        stage,
        issue,
    }
}

fn state(pod: &Pod) -> (Stage, Option<PodIssue>) {
    match phase(pod) {
        "Succeeded" => return (Stage::Over, None),
        "Failed" => return (Stage::Lost, Some(pod_failure(pod))),
        _ => {}
    }
    let placed = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.node_name.is_some());
    if !placed {
        let issue = match condition(pod, "PodScheduled") {
            Some(("False", issue)) if issue.reason == "Unschedulable" => Some(issue),
            _ => None,
        };
        return (Stage::Unplaced, issue);
    }
    let issue = containers(pod).find_map(waiting);
    let runs = phase(pod) == "Running"
        && pod
            .status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten())
            .all(|container| container.state.as_ref().is_some_and(is_running));
    let ready = matches!(condition(pod, "Ready"), None | Some(("True", _)));
    if runs && ready && issue.is_none() {
        (Stage::Ready, None)
    } else {
        (Stage::Placed, issue)
    }
}

fn is_running(state: &ContainerState) -> bool {
    state.running.is_some()
}

fn waiting(container: &ContainerStatus) -> Option<PodIssue> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let (_, is_final) = WAITING_ISSUES.iter().find(|(known, _)| *known == reason)?;
    let message = waiting.message.clone().unwrap_or_default();
    Some(PodIssue {
        reason: reason.to_owned(),
        message,
        is_final: *is_final,
    })
}

/// A pod that has failed as a whole.
fn pod_failure(pod: &Pod) -> PodIssue {
    let status = pod.status.as_ref();
    let text = |of: Option<&String>| of.cloned().unwrap_or_default();
    let reason = text(status.and_then(|status| status.reason.as_ref()));
    PodIssue {
        reason: if reason.is_empty() {
            "Failed".to_owned()
        } else {
            reason
        },
        message: text(status.and_then(|status| status.message.as_ref())),
        is_final: controller(pod).is_none(),
    }
}

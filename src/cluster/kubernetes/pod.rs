//! What a pod's status means.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

/// Labels that every object of a run carries.
pub(super) const NAME_LABEL: &str = "app.kubernetes.io/name";
pub(super) const VERSION_LABEL: &str = "app.kubernetes.io/version";
pub(super) const RUN_LABEL: &str = "netplan/run";
pub(super) const ROLE_LABEL: &str = "netplan/role";
pub(super) const WORKER_LABEL: &str = "netplan/worker";
/// The value of [`NAME_LABEL`].
pub(super) const NETPLAN: &str = "netplan";

/// How far a pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
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
pub(super) struct Hitch {
    /// The cluster's word: `ImagePullBackOff`.
    pub reason: String,
    pub message: String,
    /// Waiting will not help.
    pub is_final: bool,
}

/// What a pod's status says, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub uid: Option<String>,
    pub stage: Stage,
    pub hitch: Option<Hitch>,
}

/// Waiting reasons of containers that mean trouble, and whether waiting will not help.
const HITCHES: &[(&str, bool)] = &[
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
pub(super) fn is_about_image(reason: &str) -> bool {
    reason.contains("Image") || reason.contains("Registry")
}

/// The name that the rendered object has: a Job's pod goes by the Job's name.
pub(super) fn rendered_name(pod: &Pod) -> String {
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
pub(super) fn controller(pod: &Pod) -> Option<(&str, &str)> {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| (owner.kind.as_str(), owner.name.as_str()))
}

/// Of the pods that go by a rendered name the one that counts: the newest, and one that has failed or
/// is on its way out only if there is no other.
pub(super) fn current<'a>(pods: impl IntoIterator<Item = &'a Pod>, name: &str) -> Option<&'a Pod> {
    pods.into_iter()
        .filter(|pod| rendered_name(pod) == name)
        .max_by_key(|pod| {
            let made = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (!is_leaving(pod), phase(pod) != "Failed", made)
        })
}

/// Whether the pod has been told to end.
pub(super) fn is_leaving(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// The phase; `Pending` before there is one.
pub(super) fn phase(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("Pending")
}

/// The containers' statuses; those of init containers come first.
pub(super) fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        let init = status.init_container_statuses.iter().flatten();
        init.chain(status.container_statuses.iter().flatten())
    })
}

/// The status of a pod's condition, as in `Ready`, and what it says.
fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, Hitch)> {
    let conditions = pod.status.as_ref()?.conditions.as_deref()?;
    let found = conditions
        .iter()
        .find(|condition| condition.type_ == kind)?;
    let hitch = Hitch {
        reason: found.reason.clone().unwrap_or_default(),
        message: found.message.clone().unwrap_or_default(),
        is_final: false,
    };
    Some((found.status.as_str(), hitch))
}

/// What the status of a pod says.
pub(super) fn view(pod: &Pod) -> View {
    let (stage, hitch) = state(pod);
    View {
        uid: pod.metadata.uid.clone(),
        stage,
        hitch,
    }
}

fn state(pod: &Pod) -> (Stage, Option<Hitch>) {
    match phase(pod) {
        "Succeeded" => return (Stage::Over, None),
        "Failed" => return (Stage::Lost, Some(failed(pod))),
        _ => {}
    }
    let placed = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.node_name.is_some());
    if !placed {
        let hitch = match condition(pod, "PodScheduled") {
            Some(("False", hitch)) if hitch.reason == "Unschedulable" => Some(hitch),
            _ => None,
        };
        return (Stage::Unplaced, hitch);
    }
    let hitch = containers(pod).find_map(waiting);
    let runs = phase(pod) == "Running"
        && pod
            .status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten())
            .all(|container| container.state.as_ref().is_some_and(is_running));
    let ready = matches!(condition(pod, "Ready"), None | Some(("True", _)));
    if runs && ready && hitch.is_none() {
        (Stage::Ready, None)
    } else {
        (Stage::Placed, hitch)
    }
}

fn is_running(state: &ContainerState) -> bool {
    state.running.is_some()
}

fn waiting(container: &ContainerStatus) -> Option<Hitch> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let (_, is_final) = HITCHES.iter().find(|(known, _)| *known == reason)?;
    let message = waiting.message.clone().unwrap_or_default();
    Some(Hitch {
        reason: reason.to_owned(),
        message,
        is_final: *is_final,
    })
}

/// A pod that has failed as a whole.
fn failed(pod: &Pod) -> Hitch {
    let status = pod.status.as_ref();
    let text = |of: Option<&String>| of.cloned().unwrap_or_default();
    let reason = text(status.and_then(|status| status.reason.as_ref()));
    Hitch {
        reason: if reason.is_empty() {
            "Failed".to_owned()
        } else {
            reason
        },
        message: text(status.and_then(|status| status.message.as_ref())),
        is_final: controller(pod).is_none(),
    }
}

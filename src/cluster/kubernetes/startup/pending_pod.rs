//! A pod that is starting, and the issue that delays it.

use tokio::time::Instant;

use super::failure::StartupFailure;
use crate::cluster::kubernetes::api_error::one_line;
use crate::cluster::kubernetes::pods::status::{PodIssue, Stage, is_about_image, why};
use crate::diag::Problem;

/// What is known of a pod that is expected.
#[derive(Debug, Default)]
pub struct PendingPod {
    pub uid: Option<String>,
    /// `None` until the pod exists.
    pub stage: Option<Stage>,
    pub issue: Option<(PodIssue, Instant)>,
    /// Warnings about it, as `reason: message`, the last of each.
    pub warnings: Vec<String>,
    /// The cluster is adding a node for it.
    pub node_is_coming: bool,
}

impl PendingPod {
    pub fn is_up(&self) -> bool {
        self.stage.is_some_and(|stage| stage > Stage::Placed)
    }

    /// Keeps since when it is so, and the message that says most: `ErrImagePull` says why,
    /// `ImagePullBackOff` only that it waits.
    pub fn note_issue(&mut self, now: Instant, issue: PodIssue) {
        let earlier = self
            .issue
            .take()
            .filter(|(earlier, _)| earlier.is_same_issue(&issue));
        self.issue = Some(match earlier {
            Some((earlier, since)) if issue.reason.ends_with("BackOff") && !issue.is_final => {
                let issue = PodIssue {
                    reason: issue.reason,
                    ..earlier
                };
                (issue, since)
            }
            Some((_, since)) => (issue, since),
            None => (issue, now),
        });
    }

    pub fn state(&self) -> &'static str {
        match self.stage {
            None | Some(Stage::Lost) => "not created yet",
            Some(Stage::Unplaced) => "no node yet",
            Some(Stage::Placed) => "image and container",
            Some(Stage::Ready) => "ready",
            Some(Stage::Over) => "done",
        }
    }

    pub fn failure(&self, name: &str, issue: &PodIssue) -> StartupFailure {
        let message = one_line(&issue.message);
        let is_news = |warning: &&String| message.is_empty() || !warning.ends_with(why(&message));
        StartupFailure {
            pod: name.to_owned(),
            problem: Problem::without_place(issue.text()).help(help(&issue.reason)),
            details: self.warnings.iter().filter(is_news).cloned().collect(),
            has_run: issue.reason == "CrashLoopBackOff" || issue.reason == "Failed",
        }
    }
}

impl PodIssue {
    /// Whether two issues have the same cause.
    fn is_same_issue(&self, other: &Self) -> bool {
        self.reason == other.reason || is_about_image(&self.reason) && is_about_image(&other.reason)
    }
}

fn help(reason: &str) -> &'static str {
    match reason {
        "Unschedulable" => "give the cluster a node that fits, or change the plan's placement",
        "CrashLoopBackOff" | "Failed" => {
            "its last lines say why; the image must contain netplan of the same version"
        }
        "CreateContainerConfigError" => {
            "a Secret or ConfigMap is missing, or the image wants to run as root"
        }
        "FailedCreate" => "the namespace's quota or Pod Security level does not allow it",
        "FailedCreatePodSandBox" => "the node's network plugin fails",
        "Evicted" => "the node is short of memory or disk",
        reason if is_about_image(reason) => {
            "push the image where the nodes can pull it, load it into them, or name another one"
        }
        _ => "`kubectl describe pod` says more",
    }
}

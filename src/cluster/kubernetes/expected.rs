//! A pod on its way up, and what keeps it.

use tokio::time::Instant;

use super::failure::one_line;
use super::pod::{Hitch, Stage, is_about_image};
use super::startup::Hopeless;

/// What is known of a pod that is expected.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub uid: Option<String>,
    /// `None` until the pod exists.
    pub stage: Option<Stage>,
    pub hitch: Option<(Hitch, Instant)>,
    /// Warnings about it, as `reason: message`, the last of each.
    pub warnings: Vec<String>,
    /// The cluster is adding a node for it.
    pub node_comes: bool,
}

impl Expected {
    pub fn is_up(&self) -> bool {
        self.stage.is_some_and(|stage| stage > Stage::Placed)
    }

    /// Keeps since when it is so, and the message that says most: `ErrImagePull` says why,
    /// `ImagePullBackOff` only that it waits.
    pub fn stumble(&mut self, now: Instant, hitch: Hitch) {
        let earlier = self
            .hitch
            .take()
            .filter(|(earlier, _)| earlier.is_kin(&hitch));
        self.hitch = Some(match earlier {
            Some((earlier, since)) if hitch.reason.ends_with("BackOff") && !hitch.is_final => {
                let hitch = Hitch {
                    reason: hitch.reason,
                    ..earlier
                };
                (hitch, since)
            }
            Some((_, since)) => (hitch, since),
            None => (hitch, now),
        });
    }

    pub fn state(&self) -> &'static str {
        match self.stage {
            None | Some(Stage::Lost) => "not there yet",
            Some(Stage::Unplaced) => "no node yet",
            Some(Stage::Placed) => "image and container",
            Some(Stage::Ready) => "ready",
            Some(Stage::Over) => "done",
        }
    }

    pub fn hopeless(&self, name: &str, hitch: &Hitch) -> Hopeless {
        let message = one_line(&hitch.message);
        let is_news = |warning: &&String| message.is_empty() || !warning.ends_with(&message);
        Hopeless {
            pod: name.to_owned(),
            what: words(hitch),
            help: help(&hitch.reason),
            said: self.warnings.iter().filter(is_news).cloned().collect(),
            has_run: hitch.reason == "CrashLoopBackOff" || hitch.reason == "Failed",
        }
    }
}

impl Hitch {
    /// Whether two hitches are the same trouble.
    fn is_kin(&self, other: &Self) -> bool {
        self.reason == other.reason || is_about_image(&self.reason) && is_about_image(&other.reason)
    }
}

fn words(hitch: &Hitch) -> String {
    if hitch.message.is_empty() {
        hitch.reason.clone()
    } else {
        format!("{}: {}", hitch.reason, one_line(&hitch.message))
    }
}

fn help(reason: &str) -> &'static str {
    match reason {
        "Unschedulable" => "give the cluster a node that fits, or change the plan's placement",
        "CrashLoopBackOff" | "Failed" => {
            "its last lines say why; the image has to be netplan's, of the same version"
        }
        "CreateContainerConfigError" => {
            "a Secret or ConfigMap is missing, or the image wants to run as root"
        }
        "FailedCreate" => "the namespace's quota or Pod Security level stands in the way",
        "FailedCreatePodSandBox" => "the node's network plugin has trouble",
        "Evicted" => "the node is short of memory or disk",
        reason if is_about_image(reason) => {
            "push the image where the nodes can pull it, load it into them, or name another one"
        }
        _ => "`kubectl describe pod` says more",
    }
}

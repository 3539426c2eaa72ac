//! From the first object to the moment when all pods are there: what is waited for, and when
//! waiting is of no more use.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::access::Patience;
use super::failure::one_line;
use super::pod::{Hitch, Stage, View, is_about_image};

/// The pods of a run on their way up.
#[derive(Debug)]
pub(super) struct Startup {
    patience: Patience,
    pods: BTreeMap<String, Expected>,
    /// The end of all waiting.
    deadline: Instant,
    /// When a pod got on last; a pod that has no node may only have waited for that.
    moved: Instant,
}

#[derive(Debug, Default)]
struct Expected {
    uid: Option<String>,
    /// `None` until the pod exists.
    stage: Option<Stage>,
    hitch: Option<(Hitch, Instant)>,
    /// Warnings about it, as `reason: message`, the last of each.
    warnings: Vec<String>,
    /// The cluster is adding a node for it.
    node_comes: bool,
}

/// What an event says about one of the objects.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub reason: String,
    pub message: String,
    pub is_warning: bool,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every pod is up.
    Ready,
    /// Words for people, and when to ask again at the latest.
    Wait { words: String, until: Instant },
    /// It will not come up.
    Hopeless(Hopeless),
}

/// Why a pod will not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hopeless {
    pub pod: String,
    pub what: String,
    pub help: &'static str,
    /// What the cluster says besides.
    pub said: Vec<String>,
    /// Its last words may tell more.
    pub has_run: bool,
}

/// Warnings of these kinds stop a pod that says nothing itself.
const STOPPING: &[&str] = &[
    "FailedAttachVolume",
    "FailedCreate",
    "FailedCreatePodSandBox",
    "FailedMount",
];
/// A node says so once a pod's volumes and network are there: what stopped it before has passed.
const GETTING_ON: &[&str] = &["Pulling", "Pulled", "Created", "Started"];
/// Somebody is making room: the cluster autoscaler, Karpenter.
const NODE_COMES: &[&str] = &["TriggeredScaleUp", "Nominated"];
/// Warnings of these kinds only repeat the pod's own status.
const REPEATING: &[&str] = &["BackOff", "Failed", "FailedScheduling"];
/// So many of a pod's warnings are shown.
const WARNINGS: usize = 4;

impl Startup {
    pub fn new(pods: impl IntoIterator<Item = String>, now: Instant, patience: Patience) -> Self {
        let pods = pods
            .into_iter()
            .map(|pod| (pod, Expected::default()))
            .collect();
        Self {
            patience,
            pods,
            deadline: now + patience.ready,
            moved: now,
        }
    }

    /// A pod, by its rendered name, is there or has changed.
    pub fn see_pod(&mut self, now: Instant, name: &str, view: &View) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        if pod.uid != view.uid {
            // Another pod begins anew.
            pod.uid.clone_from(&view.uid);
            pod.stage = None;
            pod.hitch = None;
        }
        if pod.stage.is_none_or(|stage| stage < view.stage) {
            self.moved = now;
        }
        pod.stage = Some(view.stage);
        match &view.hitch {
            Some(hitch) => pod.stumble(now, hitch.clone()),
            None if view.stage > Stage::Placed => pod.hitch = None,
            // Between two tries to pull an image or to make a container nothing has got better,
            // but a pod that has found its node is past that.
            None => {
                pod.hitch = pod.hitch.take().filter(|(hitch, _)| {
                    view.stage == Stage::Placed && hitch.reason != "Unschedulable"
                });
            }
        }
    }

    /// A pod is gone; another one may come.
    pub fn see_gone(&mut self, now: Instant, name: &str) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.stage = Some(Stage::Lost);
            let gone = Hitch {
                reason: "Deleted".to_owned(),
                message: "somebody removed it".to_owned(),
                is_final: false,
            };
            pod.stumble(now, gone);
        }
    }

    /// The cluster says something about a pod, or about the Job that is to make it.
    pub fn see_event(&mut self, now: Instant, name: &str, said: &Said) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        pod.node_comes |= NODE_COMES.contains(&said.reason.as_str());
        if GETTING_ON.contains(&said.reason.as_str()) {
            pod.hitch = pod
                .hitch
                .take()
                .filter(|(hitch, _)| !STOPPING.contains(&hitch.reason.as_str()));
        }
        if !said.is_warning || REPEATING.contains(&said.reason.as_str()) {
            return;
        }
        let message = one_line(&said.message);
        let prefix = format!("{}: ", said.reason);
        pod.warnings
            .retain(|warning| !warning.starts_with(&prefix) && !warning.ends_with(&message));
        pod.warnings.push(prefix + &message);
        if pod.warnings.len() > WARNINGS {
            pod.warnings.remove(0);
        }
        let is_up = pod.stage.is_some_and(|stage| stage > Stage::Placed);
        if STOPPING.contains(&said.reason.as_str()) && !is_up && pod.hitch.is_none() {
            let hitch = Hitch {
                reason: said.reason.clone(),
                message: said.message.clone(),
                is_final: false,
            };
            pod.stumble(now, hitch);
        }
    }

    /// What to do now.
    pub fn verdict(&self, now: Instant) -> Verdict {
        if self.pods.values().all(Expected::is_up) {
            return Verdict::Ready;
        }
        let mut until = self.deadline;
        for (name, pod) in &self.pods {
            let Some((hitch, since)) = &pod.hitch else {
                continue;
            };
            let gives_up = self.gives_up(pod, hitch, *since);
            if gives_up <= now {
                return Verdict::Hopeless(pod.hopeless(name, hitch));
            }
            until = until.min(gives_up);
        }
        if self.deadline <= now {
            return Verdict::Hopeless(self.too_late());
        }
        Verdict::Wait {
            words: self.words(),
            until,
        }
    }

    fn gives_up(&self, pod: &Expected, hitch: &Hitch, since: Instant) -> Instant {
        if hitch.is_final {
            since
        } else if pod.stage == Some(Stage::Lost) {
            since + self.patience.replaced
        } else if hitch.reason != "Unschedulable" {
            since + self.patience.hitch
        } else if pod.node_comes {
            self.deadline
        } else {
            since.max(self.moved) + self.patience.hitch
        }
    }

    fn too_late(&self) -> Hopeless {
        let late = self.pods.iter().find(|(_, pod)| !pod.is_up());
        let (name, pod) = late.map_or(("", None), |(name, pod)| (name.as_str(), Some(pod)));
        let state = match pod.and_then(|pod| pod.stage) {
            None => "not made",
            Some(Stage::Lost) => "not made anew",
            Some(Stage::Unplaced) => "without a node",
            Some(_) => "without a running container",
        };
        Hopeless {
            pod: name.to_owned(),
            what: format!("after {} it is still {state}", span(self.patience.ready)),
            help: "the cluster may be busy; try again, or see `kubectl describe pod`",
            said: pod.map(|pod| pod.warnings.clone()).unwrap_or_default(),
            has_run: false,
        }
    }

    fn words(&self) -> String {
        let mut states: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, pod) in self.pods.iter().filter(|(_, pod)| !pod.is_up()) {
            let state = match &pod.hitch {
                Some((hitch, _)) => hitch.reason.as_str(),
                None => pod.state(),
            };
            states.entry(state).or_default().push(format!("`{name}`"));
        }
        let up = self.pods.values().filter(|pod| pod.is_up()).count();
        let waiting: Vec<String> = states
            .into_iter()
            .map(|(state, pods)| format!("{} ({state})", pods.join(", ")))
            .collect();
        format!(
            "{up} of {} pods are ready; waiting for {}",
            self.pods.len(),
            waiting.join("; ")
        )
    }
}

impl Expected {
    fn is_up(&self) -> bool {
        self.stage.is_some_and(|stage| stage > Stage::Placed)
    }

    /// Keeps since when it is so, and the message that says most: `ErrImagePull` says why,
    /// `ImagePullBackOff` only that it waits.
    fn stumble(&mut self, now: Instant, hitch: Hitch) {
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

    fn state(&self) -> &'static str {
        match self.stage {
            None | Some(Stage::Lost) => "not there yet",
            Some(Stage::Unplaced) => "no node yet",
            Some(Stage::Placed) => "image and container",
            Some(Stage::Ready) => "ready",
            Some(Stage::Over) => "done",
        }
    }

    fn hopeless(&self, name: &str, hitch: &Hitch) -> Hopeless {
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

fn span(time: Duration) -> String {
    match time.as_secs() {
        whole if whole >= 60 && whole.is_multiple_of(60) => format!("{} min", whole / 60),
        whole => format!("{whole} s"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn startup(now: Instant) -> Startup {
        let pods = ["o", "w1", "w2"].map(str::to_owned);
        Startup::new(pods, now, Patience::default())
    }

    fn view(stage: Stage) -> View {
        View {
            uid: None,
            stage,
            hitch: None,
        }
    }

    fn hitch(stage: Stage, reason: &str, message: &str, is_final: bool) -> View {
        View {
            uid: None,
            stage,
            hitch: Some(Hitch {
                reason: reason.to_owned(),
                message: message.to_owned(),
                is_final,
            }),
        }
    }

    fn hopeless(verdict: Verdict) -> Hopeless {
        match verdict {
            Verdict::Hopeless(hopeless) => hopeless,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ready_means_all_of_them() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.see_pod(now, "o", &view(Stage::Ready));
        startup.see_pod(now, "w1", &view(Stage::Over));
        let Verdict::Wait { words, .. } = startup.verdict(now) else {
            panic!("ready without w2")
        };
        assert_eq!(
            words,
            "2 of 3 pods are ready; waiting for `w2` (not there yet)"
        );
        startup.see_pod(now, "w2", &view(Stage::Ready));
        assert_eq!(startup.verdict(now), Verdict::Ready);
    }

    #[test]
    fn a_pull_that_fails_is_given_some_time_over_its_retries() {
        let now = Instant::now();
        let mut startup = startup(now);
        let placed = Stage::Placed;
        startup.see_pod(
            now,
            "w1",
            &hitch(placed, "ErrImagePull", "not found", false),
        );
        startup.see_pod(
            now + second(2),
            "w1",
            &hitch(placed, "ImagePullBackOff", "Back-off", false),
        );
        startup.see_pod(now + second(4), "w1", &view(placed));
        let until = now + Patience::default().hitch;
        assert!(
            matches!(startup.verdict(now + second(5)), Verdict::Wait { until: at, .. } if at == until)
        );
        let end = hopeless(startup.verdict(until));
        assert_eq!(end.what, "ImagePullBackOff: not found");
    }

    #[test]
    fn a_crash_loop_is_final_at_once() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.see_pod(
            now,
            "o",
            &hitch(Stage::Placed, "CrashLoopBackOff", "back-off 10s", true),
        );
        assert!(hopeless(startup.verdict(now)).has_run);
    }

    #[test]
    fn a_pod_without_a_node_waits_for_others_to_move_and_for_new_nodes() {
        let now = Instant::now();
        let mut startup = startup(now);
        let stuck = hitch(Stage::Unplaced, "Unschedulable", "0/1 nodes", false);
        startup.see_pod(now, "w2", &stuck);
        startup.see_pod(now + second(8), "w1", &view(Stage::Placed));
        assert!(matches!(
            startup.verdict(now + second(13)),
            Verdict::Wait { .. }
        ));
        hopeless(startup.verdict(now + second(20)));
        let said = Said {
            reason: "TriggeredScaleUp".to_owned(),
            message: String::new(),
            is_warning: false,
        };
        startup.see_event(now, "w2", &said);
        assert!(matches!(
            startup.verdict(now + second(60)),
            Verdict::Wait { .. }
        ));
        let end = hopeless(startup.verdict(now + second(300)));
        assert_eq!(end.what, "Unschedulable: 0/1 nodes");
    }

    #[test]
    fn a_volume_that_came_late_stops_nothing_once_the_image_is_pulled() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.see_pod(now, "w1", &view(Stage::Placed));
        let said = |reason: &str, is_warning| Said {
            reason: reason.to_owned(),
            message: "failed to sync secret cache".to_owned(),
            is_warning,
        };
        startup.see_event(now, "w1", &said("FailedMount", true));
        let late = now + Patience::default().hitch;
        hopeless(startup.verdict(late));
        startup.see_event(now + second(1), "w1", &said("Pulling", false));
        assert!(matches!(startup.verdict(late), Verdict::Wait { .. }));
    }

    #[test]
    fn an_event_about_a_job_counts_for_the_pod_that_it_cannot_make() {
        let now = Instant::now();
        let mut startup = startup(now);
        let said = Said {
            reason: "FailedCreate".to_owned(),
            message: "Error creating: pods \"o-x\" is forbidden: violates PodSecurity".to_owned(),
            is_warning: true,
        };
        startup.see_event(now, "o", &said);
        let end = hopeless(startup.verdict(now + second(12)));
        assert!(end.what.contains("violates PodSecurity"), "{}", end.what);
    }
}

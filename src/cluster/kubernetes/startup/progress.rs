//! Decides while pods start: what to wait for, and when to give up.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::failure::StartupFailure;
use super::pending_pod::PendingPod;
use crate::cluster::kubernetes::api_error::one_line;
use crate::cluster::kubernetes::connection::Timeouts;
use crate::cluster::kubernetes::pods::cluster_event::ClusterEvent;
use crate::cluster::kubernetes::pods::status::{PodIssue, PodState, Stage};
use crate::diag::Problem;

/// The pods of a run on their way up.
#[derive(Debug)]
pub struct Startup {
    timeouts: Timeouts,
    pods: BTreeMap<String, PendingPod>,
    /// The end of all waiting.
    deadline: Instant,
    /// When a pod last made progress; a pod without a node may only wait for that.
    moved: Instant,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every pod is up.
    Ready,
    /// A message for people, and when to ask again at the latest.
    Wait { message: String, until: Instant },
    /// It will not come up.
    Failed(StartupFailure),
}

/// Warnings about what keeps a pod from starting without a trace in its own status.
const STOPPING: &[&str] = &[
    "FailedAttachVolume",
    "FailedCreate",
    "FailedCreatePodSandBox",
    "FailedMount",
];
/// Events of a node once a pod's volumes and network are set up: earlier issues of them have passed.
const PROGRESSING: &[&str] = &["Pulling", "Pulled", "Created", "Started"];
/// An issue that may pass is reported when it has lasted so long: schedulers, mounts and registries try again.
const LASTING: Duration = Duration::from_secs(4);
/// The cluster autoscaler or Karpenter is adding a node.
const NODE_ADDED: &[&str] = &["TriggeredScaleUp", "Nominated"];
/// Warnings of these kinds only repeat the pod's own status.
const REPEATING: &[&str] = &["BackOff", "Failed", "FailedScheduling"];
/// So many of a pod's warnings are shown.
const WARNINGS: usize = 4;

impl Startup {
    pub fn new(pods: impl IntoIterator<Item = String>, now: Instant, timeouts: Timeouts) -> Self {
        let pods = pods
            .into_iter()
            .map(|pod| (pod, PendingPod::default()))
            .collect();
        Self {
            timeouts,
            pods,
            deadline: now + timeouts.ready,
            moved: now,
        }
    }

    /// A pod, by its rendered name, is there or has changed.
    pub fn observe_pod(&mut self, now: Instant, name: &str, pod_state: &PodState) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        if pod.uid != pod_state.uid {
            // Another pod begins anew.
            pod.uid.clone_from(&pod_state.uid);
            pod.stage = None;
            pod.issue = None;
        }
        if pod.stage.is_none_or(|stage| stage < pod_state.stage) {
            self.moved = now;
        }
        pod.stage = Some(pod_state.stage);
        match &pod_state.issue {
            Some(issue) => pod.note_issue(now, issue.clone()),
            None if pod_state.stage > Stage::Placed => pod.issue = None,
            // Between two tries to pull an image or to make a container nothing has got better,
            // but a pod that has found its node is past that.
            None => {
                pod.issue = pod.issue.take().filter(|(issue, _)| {
                    pod_state.stage == Stage::Placed && issue.reason != "Unschedulable"
                });
            }
        }
    }

    /// A pod is gone; another one may come.
    pub fn observe_deletion(&mut self, now: Instant, name: &str) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.stage = Some(Stage::Lost);
            let gone = PodIssue {
                reason: "Deleted".to_owned(),
                message: "it was deleted".to_owned(),
                is_final: false,
            };
            pod.note_issue(now, gone);
        }
    }

    /// The cluster says something about a pod, or about the Job that is to make it.
    pub fn observe_event(&mut self, now: Instant, name: &str, event: &ClusterEvent) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        pod.node_is_coming |= NODE_ADDED.contains(&event.reason.as_str());
        if PROGRESSING.contains(&event.reason.as_str()) {
            pod.issue = pod
                .issue
                .take()
                .filter(|(issue, _)| !STOPPING.contains(&issue.reason.as_str()));
        }
        if !event.is_warning || REPEATING.contains(&event.reason.as_str()) {
            return;
        }
        let message = one_line(&event.message);
        let prefix = format!("{}: ", event.reason);
        pod.warnings
            .retain(|warning| !warning.starts_with(&prefix) && !warning.ends_with(&message));
        pod.warnings.push(prefix + &message);
        if pod.warnings.len() > WARNINGS {
            pod.warnings.remove(0);
        }
        let is_up = pod.stage.is_some_and(|stage| stage > Stage::Placed);
        if STOPPING.contains(&event.reason.as_str()) && !is_up && pod.issue.is_none() {
            let issue = PodIssue {
                reason: event.reason.clone(),
                message: event.message.clone(),
                is_final: false,
            };
            pod.note_issue(now, issue);
        }
    }

    /// What to do now.
    pub fn verdict(&self, now: Instant) -> Verdict {
        if self.pods.values().all(PendingPod::is_up) {
            return Verdict::Ready;
        }
        let mut until = self.deadline;
        for (name, pod) in &self.pods {
            let Some((issue, since)) = &pod.issue else {
                continue;
            };
            let give_up_at = self.give_up_at(pod, issue, *since);
            if give_up_at <= now {
                return Verdict::Failed(pod.failure(name, issue));
            }
            until = until.min(give_up_at);
        }
        if self.deadline <= now {
            return Verdict::Failed(self.deadline_failure());
        }
        // What is new may pass by itself: it is said when it has lasted.
        let since = self
            .pods
            .values()
            .filter_map(|pod| Some(pod.issue.as_ref()?.1));
        let said = since.map(|since| since + LASTING).filter(|at| *at > now);
        Verdict::Wait {
            message: self.message(now),
            until: said.fold(until, Instant::min),
        }
    }

    fn give_up_at(&self, pod: &PendingPod, issue: &PodIssue, since: Instant) -> Instant {
        if issue.is_final {
            since
        } else if pod.stage == Some(Stage::Lost) {
            since + self.timeouts.replaced
        } else if issue.reason != "Unschedulable" {
            since + self.timeouts.issue
        } else if pod.node_is_coming {
            self.deadline
        } else {
            since.max(self.moved) + self.timeouts.issue
        }
    }

    fn deadline_failure(&self) -> StartupFailure {
        let late = self.pods.iter().find(|(_, pod)| !pod.is_up());
        let (name, pod) = late.map_or(("", None), |(name, pod)| (name.as_str(), Some(pod)));
        let state = match pod.and_then(|pod| pod.stage) {
            None => "not created",
            Some(Stage::Lost) => "not recreated",
            Some(Stage::Unplaced) => "without a node",
            Some(_) => "without a running container",
        };
        let what = format!("after {} it is still {state}", span(self.timeouts.ready));
        StartupFailure {
            pod: name.to_owned(),
            problem: Problem::without_place(what)
                .help("the cluster may be busy; try again, or see `kubectl describe pod`"),
            details: pod.map(|pod| pod.warnings.clone()).unwrap_or_default(),
            has_run: false,
        }
    }

    fn message(&self, now: Instant) -> String {
        let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, pod) in self.pods.iter().filter(|(_, pod)| !pod.is_up()) {
            let state = match &pod.issue {
                Some((issue, since)) if *since + LASTING <= now => {
                    format!("{}: {}", pod.state(), issue.cause())
                }
                _ => pod.state().to_owned(),
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

fn span(time: Duration) -> String {
    match time.as_secs() {
        whole if whole >= 60 && whole.is_multiple_of(60) => format!("{} min", whole / 60),
        whole => format!("{whole} s"),
    }
}

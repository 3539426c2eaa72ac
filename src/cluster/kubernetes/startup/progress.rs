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
                    format!("{}: {}", pod.state(), issue.reason)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn startup(now: Instant) -> Startup {
        let pods = ["o", "w1", "w2"].map(str::to_owned);
        Startup::new(pods, now, Timeouts::default())
    }

    fn pod_state(stage: Stage) -> PodState {
        PodState {
            uid: None,
            stage,
            issue: None,
        }
    }

    fn issue(stage: Stage, reason: &str, message: &str, is_final: bool) -> PodState {
        PodState {
            uid: None,
            stage,
            issue: Some(PodIssue {
                reason: reason.to_owned(),
                message: message.to_owned(),
                is_final,
            }),
        }
    }

    fn failed(verdict: Verdict) -> StartupFailure {
        match verdict {
            Verdict::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_may_pass_by_itself_is_said_when_it_has_lasted() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.observe_pod(now, "o", &pod_state(Stage::Ready));
        startup.observe_pod(now, "w1", &pod_state(Stage::Ready));
        let stuck = issue(Stage::Unplaced, "Unschedulable", "0/1 nodes", false);
        startup.observe_pod(now, "w2", &stuck);
        let Verdict::Wait { message, until } = startup.verdict(now) else {
            panic!("ready without w2")
        };
        assert!(
            message.ends_with("waiting for `w2` (no node yet)"),
            "{message}"
        );
        let Verdict::Wait { message, .. } = startup.verdict(until) else {
            panic!("ready without w2")
        };
        assert!(
            message.ends_with("(no node yet: Unschedulable)"),
            "{message}"
        );
    }

    #[test]
    fn ready_means_all_of_them() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.observe_pod(now, "o", &pod_state(Stage::Ready));
        startup.observe_pod(now, "w1", &pod_state(Stage::Over));
        let Verdict::Wait { message, .. } = startup.verdict(now) else {
            panic!("ready without w2")
        };
        assert_eq!(
            message,
            "2 of 3 pods are ready; waiting for `w2` (not created yet)"
        );
        startup.observe_pod(now, "w2", &pod_state(Stage::Ready));
        assert_eq!(startup.verdict(now), Verdict::Ready);
    }

    #[test]
    fn a_pull_that_fails_is_given_some_time_over_its_retries() {
        let now = Instant::now();
        let mut startup = startup(now);
        let placed = Stage::Placed;
        startup.observe_pod(
            now,
            "w1",
            &issue(placed, "ErrImagePull", "not found", false),
        );
        startup.observe_pod(
            now + second(2),
            "w1",
            &issue(placed, "ImagePullBackOff", "Back-off", false),
        );
        startup.observe_pod(now + second(4), "w1", &pod_state(placed));
        let until = now + Timeouts::default().issue;
        assert!(
            matches!(startup.verdict(now + second(5)), Verdict::Wait { until: at, .. } if at == until)
        );
        let end = failed(startup.verdict(until));
        assert_eq!(end.problem.what, "ImagePullBackOff: not found");
    }

    #[test]
    fn a_crash_loop_is_final_at_once() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.observe_pod(
            now,
            "o",
            &issue(Stage::Placed, "CrashLoopBackOff", "back-off 10s", true),
        );
        assert!(failed(startup.verdict(now)).has_run);
    }

    #[test]
    fn a_pod_without_a_node_waits_for_others_to_move_and_for_new_nodes() {
        let now = Instant::now();
        let mut startup = startup(now);
        let stuck = issue(Stage::Unplaced, "Unschedulable", "0/1 nodes", false);
        startup.observe_pod(now, "w2", &stuck);
        startup.observe_pod(now + second(8), "w1", &pod_state(Stage::Placed));
        assert!(matches!(
            startup.verdict(now + second(13)),
            Verdict::Wait { .. }
        ));
        failed(startup.verdict(now + second(20)));
        let event = ClusterEvent {
            reason: "TriggeredScaleUp".to_owned(),
            message: String::new(),
            is_warning: false,
        };
        startup.observe_event(now, "w2", &event);
        assert!(matches!(
            startup.verdict(now + second(60)),
            Verdict::Wait { .. }
        ));
        let end = failed(startup.verdict(now + second(300)));
        assert_eq!(end.problem.what, "Unschedulable: 0/1 nodes");
    }

    #[test]
    fn a_volume_that_came_late_stops_nothing_once_the_image_is_pulled() {
        let now = Instant::now();
        let mut startup = startup(now);
        startup.observe_pod(now, "w1", &pod_state(Stage::Placed));
        let said = |reason: &str, is_warning| ClusterEvent {
            reason: reason.to_owned(),
            message: "failed to sync secret cache".to_owned(),
            is_warning,
        };
        startup.observe_event(now, "w1", &said("FailedMount", true));
        let late = now + Timeouts::default().issue;
        failed(startup.verdict(late));
        startup.observe_event(now + second(1), "w1", &said("Pulling", false));
        assert!(matches!(startup.verdict(late), Verdict::Wait { .. }));
    }

    #[test]
    fn an_event_about_a_job_counts_for_the_pod_that_it_cannot_make() {
        let now = Instant::now();
        let mut startup = startup(now);
        let event = ClusterEvent {
            reason: "FailedCreate".to_owned(),
            message: "Error creating: pods \"o-x\" is forbidden: violates PodSecurity".to_owned(),
            is_warning: true,
        };
        startup.observe_event(now, "o", &event);
        let end = failed(startup.verdict(now + second(12)));
        assert!(
            end.problem.what.contains("violates PodSecurity"),
            "{}",
            end.problem.what
        );
    }
}

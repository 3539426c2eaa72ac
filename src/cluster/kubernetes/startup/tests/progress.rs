//! A start-up as a story: what pods and events say, and when.

use std::time::Duration;

use tokio::time::Instant;

use super::super::failure::StartupFailure;
use super::super::progress::{Startup, Verdict};
use crate::cluster::kubernetes::connection::Timeouts;
use crate::cluster::kubernetes::pods::cluster_event::ClusterEvent;
use crate::cluster::kubernetes::pods::status::{PodIssue, PodState, Stage};

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
        message.ends_with("(no node yet: Unschedulable: 0/1 nodes)"),
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

#[test]
fn the_cause_of_a_refused_pod_is_said_while_its_job_tries_again() {
    let now = Instant::now();
    let mut startup = startup(now);
    let refused = |pod: &str| ClusterEvent {
        reason: "FailedCreate".to_owned(),
        message: format!(
            "Error creating: pods \"{pod}\" is forbidden: exceeded quota: few, requested: pods=1"
        ),
        is_warning: true,
    };
    startup.observe_pod(now, "o", &pod_state(Stage::Ready));
    startup.observe_pod(now, "w1", &pod_state(Stage::Ready));
    startup.observe_event(now, "w2", &refused("w2-a"));
    let said = |startup: &Startup, at| match startup.verdict(at) {
        Verdict::Wait { message, .. } => message,
        other => panic!("{other:?}"),
    };
    let first = said(&startup, now + second(5));
    assert!(
        first.ends_with("(not created yet: FailedCreate: exceeded quota: few, requested: pods=1)"),
        "{first}"
    );
    startup.observe_event(now + second(5), "w2", &refused("w2-b"));
    assert_eq!(said(&startup, now + second(6)), first);
    let end = failed(startup.verdict(now + second(12)));
    assert!(end.details.is_empty(), "{end:?}");
}

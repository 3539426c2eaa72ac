//! Ctrl-C: everything is removed, and what was measured is shown.

use super::case::{Case, LONG};

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn ctrl_c_half_way_shows_what_was_measured_and_the_run_can_be_resumed() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    case.wait_for_cells(&running, 3);
    running.interrupt();
    let ended = running.finish().expect(130).says("interrupted");
    // The report, and what is stored.
    ended.says("measured");
    let measured = case.outcomes().len();
    assert!((3..15).contains(&measured), "{measured}");
    let last = case.events().pop().unwrap();
    assert_eq!(last["event"], "run_ended", "{last}");
    assert!(!case.read("out/result.csv").is_empty());
    case.expect_no_namespace();

    // Once more, from there to the end.
    let resumed = case.start_in_namespace(&["run", "--resume", "out", "--on", "kubernetes"]);
    resumed.finish().expect(0).says("15 cells: 15 measured");
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn ctrl_c_at_the_start_removes_what_is_there_already() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    let path = format!("/api/v1/namespaces/{}/configmaps", case.namespace);
    case.api.wait_for("the first object", |api| {
        let found = api.list(&path);
        let named = format!("netplan-{run}");
        found.iter().find(|map| map["metadata"]["name"] == *named)?;
        Some(())
    });
    running.interrupt();
    let ended = running.finish();
    ended.expect(130).says("before anything was measured");
    case.expect_no_namespace();
}

//! Runs that continue without a terminal.

use super::case::{Case, LONG, SHORT};

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_detached_run_is_attached_to_from_elsewhere() {
    let case = Case::with(LONG);
    let detached = case.run_detached();
    let status = case.start_in_namespace(&["status"]).finish();
    status.expect(0).says(&detached).says("running");
    let attached = case.start_in_namespace(&["attach", &detached, "--output", "out"]);
    case.wait_for_cells(&attached, 1);
    // Ctrl-C ends the watching, not the run.
    attached.interrupt();
    attached.finish();
    let attached = case.start_in_namespace(&["attach", &detached, "--output", "out"]);
    attached.finish().expect(0).says("15 cells: 15 measured");
    case.expect_measured(15);
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_run_that_has_ended_is_collected_afterwards() {
    let case = Case::with(SHORT);
    let run = case.run_detached();
    case.api.wait_for("the run to be over", |_| {
        let status = case.start_in_namespace(&["status"]).finish();
        status.stdout.contains("finished").then_some(())
    });
    let attached = case.start_in_namespace(&["attach", "--output", "out"]);
    attached.finish().expect(0).says("2 cells: 2 measured");
    case.expect_measured(2);
    assert!(!case.read("out/result.csv").is_empty());
    assert!(case.api.pods(&case.namespace, &run).is_empty());
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_cancelled_run_keeps_what_it_has_measured() {
    let case = Case::with(LONG);
    let run = case.run_detached();
    case.start_in_namespace(&["cancel", &run])
        .finish()
        .expect(0);
    let attached = case.start_in_namespace(&["attach", &run, "--output", "out"]);
    attached.finish().expect(3).says("15 cells: ");
    let last = case.events().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["cancelled"]),
        (&"run_ended".into(), &true.into())
    );
    assert!(case.outcomes().len() < 15);
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_command_line_that_is_killed_does_the_run_no_harm() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 2);
    running.kill();
    let attached = case.start_in_namespace(&["attach", &run, "--output", "out"]);
    attached.finish().expect(0).says("15 cells: 15 measured");
    case.expect_measured(15);
    // Nothing twice, and nothing missing, over both.
    let numbers = case.events().into_iter().map(|event| event["seq"].clone());
    assert!(numbers.eq(0..case.events().len()));
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn what_is_kept_stays_until_it_is_cleaned() {
    let case = Case::with(SHORT);
    let running = case.start_run(&["--keep"]);
    let run = running.run_id();
    running.finish().expect(0);
    case.expect_measured(2);
    assert!(case.api.has_namespace(&case.namespace));
    let status = case.start_in_namespace(&["status"]).finish();
    status.expect(0).says(&run);
    // The orchestrator may not have ended yet.
    case.start(&["clean", &run, "--force"]).finish().expect(0);
    case.expect_no_namespace();
}

impl Case {
    /// Starts a run that continues by itself; gives its id.
    fn run_detached(&self) -> String {
        let running = self.start_run(&["--detach"]);
        let run = running.run_id();
        running.finish().expect(0).says("netplan attach");
        run
    }
}

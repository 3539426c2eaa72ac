//! Pods that end in mid-run: what they were measuring is measured again, and the run continues.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::case::{Case, LONG};
use crate::support::processes_naming;

/// Kills a container's first process, where the nodes are on this machine. `false` where they are not.
fn kill_container(run: &str, command: &str) -> bool {
    let is_one = |line: &&String| line.contains(run) && line.contains(command);
    let processes = processes_naming("netplan");
    let Some(process) = processes.iter().find(is_one) else {
        println!(
            "not tried: the nodes are not on this machine, so their processes cannot be killed"
        );
        return false;
    };
    let (pid, _) = process.split_once(' ').unwrap();
    let pid = Pid::from_raw(pid.parse().unwrap());
    let killed = kill(pid, Signal::SIGKILL);
    if let Err(error) = killed {
        println!("not tried: {process} cannot be killed: {error}");
    }
    killed.is_ok()
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_worker_whose_process_is_killed_comes_back() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 3);
    let killed = kill_container(&run, "--name=w2");
    let ended = running.finish().expect(0);
    case.expect_measured(15);
    if killed {
        ended.says("killed by SIGKILL; started again (restart 1)");
        assert_eq!(case.events_of("worker_left").len(), 1);
        assert_eq!(case.events_of("worker_joined").len(), 4);
    }
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn an_orchestrator_whose_process_is_killed_continues_its_journal() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 3);
    let killed = kill_container(&run, "netplan orchestrator");
    let ended = running.finish().expect(0);
    case.expect_measured(15);
    if killed {
        ended.says("killed by SIGKILL; started again (restart 1)");
    }
    // One journal without a gap, over both lives.
    let numbers = case.events().into_iter().map(|event| event["seq"].clone());
    assert!(numbers.eq(0..case.events().len()));
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_worker_that_is_evicted_comes_back_with_another_address() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 3);
    let before = case.api.pods(&case.namespace, &run);
    let name = before["w2"]["metadata"]["name"].as_str().unwrap();
    case.api.evict(&case.namespace, name);
    running.finish().expect(0);
    case.expect_measured(15);
    let joined = case.events_of("worker_joined");
    let of_w2: Vec<_> = joined
        .iter()
        .filter(|event| event["worker"] == "w2")
        .collect();
    assert_eq!(of_w2.len(), 2, "{joined:?}");
    assert_ne!(of_w2[0]["pod_ip"], of_w2[1]["pod_ip"]);
    // It is still where the plan wants it.
    assert_eq!(of_w2[0]["node"], of_w2[1]["node"]);
    case.expect_no_namespace();
}

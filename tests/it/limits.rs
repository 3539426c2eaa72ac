//! Limits of the machine: what they keep from running is said before a run, and at once.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use netplan::cluster::Cluster;
use netplan::cluster::local::Local;
use netplan::plan;

use crate::support::{
    NETPLAN, Netplan, installed, local_cluster, needs, program_for_everybody, root,
};

const PLAN: &str = "\
version: 1
name: small
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: pod, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 1s }
tests:
  - iperf3: { mss: 536 }
";

/// What is waited for without an end takes far longer.
const AT_ONCE: Duration = Duration::from_secs(60);

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// Runs `doctor` and `run` of a program by `script`, which has it as `$0` and its arguments as `$@`; both must fail at
/// once and name each of these words.
#[track_caller]
fn both_name(program: &str, folder: &Path, command: &[&str], words: &[&str]) {
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    for arguments in [
        vec!["doctor", "plan.yaml", "--on", "local"],
        vec!["doctor", "--on", "local"],
        vec!["run", "plan.yaml", "--on", "local", "--output", "out"],
    ] {
        let begun = Instant::now();
        let ended = Netplan::in_folder(folder)
            .program(program)
            .started_by(command)
            .args(&arguments)
            .run()
            .expect(1);
        let said = ended.said();
        for word in words {
            assert!(said.contains(word), "{arguments:?}: {said}");
        }
        assert!(begun.elapsed() < AT_ONCE, "{arguments:?}: {said}");
        assert!(!folder.join("out").exists(), "nothing has begun");
    }
}

#[test]
fn a_read_only_proc_sys_is_found_before_a_run() {
    needs!(
        root(),
        local_cluster(),
        installed(&["unshare", "iperf3", "netperf"])
    );
    let folder = tempfile::tempdir().unwrap();
    let script = "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec \"$0\" \"$@\"";
    both_name(
        NETPLAN,
        folder.path(),
        &[
            "unshare",
            "--mount",
            "--propagation=private",
            "sh",
            "-c",
            script,
        ],
        &[
            "cannot write /proc/sys/net/ipv4/ip_forward: Read-only file system",
            "--privileged",
        ],
    );
}

#[test]
fn too_few_namespaces_are_found_before_a_run() {
    needs!(
        local_cluster(),
        installed(&["unshare", "iperf3", "netperf"])
    );
    let folder = tempfile::tempdir().unwrap();
    for kind in ["mnt", "pid", "net", "uts", "ipc"] {
        let script = format!("echo 2 > /proc/sys/user/max_{kind}_namespaces && exec \"$0\" \"$@\"");
        let limit = format!("`user.max_{kind}_namespaces` is reached");
        both_name(
            NETPLAN,
            folder.path(),
            &["unshare", "--user", "--map-root-user", "sh", "-c", &script],
            &[&limit, "sudo sysctl -w"],
        );
    }
}

#[test]
fn too_few_processes_are_found_before_a_run() {
    needs!(
        root(),
        local_cluster(),
        installed(&["setpriv", "iperf3", "netperf"])
    );
    let (home, program) = program_for_everybody();
    for limit in [4, 8, 12, 24] {
        let script =
            format!("ulimit -u {limit} 2>/dev/null || ulimit -p {limit}; exec \"$0\" \"$@\"");
        both_name(
            program.to_str().unwrap(),
            home.path(),
            &[
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "sh",
                "-c",
                &script,
            ],
            &[
                "the limit of processes is reached",
                &format!("`ulimit -u` is {limit}"),
            ],
        );
    }
}

/// Not a test: makes a cluster without asking first whether there is room for it.
#[tokio::test]
#[ignore = "a helper process of the next test"]
async fn helper_that_makes_a_cluster() {
    let settings = plan::Local::default();
    let made = async {
        let cluster = Local::start(Path::new(NETPLAN), &settings).await?;
        let applied = cluster.apply(&crate::render::shipped()).await;
        cluster.down().await?;
        applied
    };
    match made.await {
        Ok(()) => println!("\nthe cluster was made"),
        Err(error) => println!("\nno cluster: {error}"),
    }
}

#[test]
fn a_cluster_that_runs_out_of_processes_says_so_and_does_not_hang() {
    needs!(root(), local_cluster(), installed(&["setpriv", "timeout"]));
    let test = std::env::current_exe().unwrap();
    let as_nobody = |script: &str| {
        Command::new("setpriv")
            .args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "sh",
                "-c",
                script,
            ])
            .arg(&test)
            .output()
            .unwrap()
    };
    needs!(if as_nobody("test -x \"$0\"").status.success() {
        Ok(())
    } else {
        Err(format!("`nobody` cannot reach {}", test.display()))
    });
    let mut refused = 0;
    for limit in 2..=24 {
        let script = format!(
            "ulimit -u {limit} 2>/dev/null || ulimit -p {limit}; exec timeout 100 \"$0\" --exact \
             limits::helper_that_makes_a_cluster --ignored --nocapture --test-threads=1"
        );
        let output = as_nobody(&script);
        let said = said(&output);
        assert_ne!(
            output.status.code(),
            Some(124),
            "it hangs at {limit}: {said}"
        );
        refused += usize::from(said.contains("no cluster: "));
        assert!(!said.contains("panicked"), "at {limit}: {said}");
    }
    assert!(refused > 5, "{refused}");
}

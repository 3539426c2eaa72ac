//! Runs to show.

use std::path::PathBuf;

use netplan::output::html;
use netplan::report::Report;
use netplan::report::document::Document;
use netplan::results::environment::host_metrics;
use netplan::results::{Cluster, Event, EventKind, Warning, WorkerEnvironment};
use netplan::schedule::{Schedule, Selection};
use netplan::tools::{Cause, name};

use crate::made::{self, End, Fate};

/// A run of the default plan's size, with `samples` of each cell, some failures and warnings.
pub fn report(samples: u32) -> Report {
    let tests = [
        made::tcp(64, samples),
        made::udp(),
        made::stream(),
        made::rr(samples),
    ];
    let plan = made::plan(&tests);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(
        &plan,
        &schedule,
        &End::Complete,
        |cell, path| match &*cell.id.0 {
            "iperf3-tcp/hairpin/mss=608" => {
                Fate::Failed(Cause::Timeout, "iperf3 was killed at its deadline")
            }
            _ if cell.id.0.starts_with("netperf-tcp-stream") && path == "remote-service" => {
                Fate::Skipped("netperf is not on w3")
            }
            _ => Fate::Measured,
        },
    );
    describe(&mut events);
    let cluster = Cluster {
        kind: "local".to_owned(),
        description: serde_json::json!({}),
    };
    Report::fold(&events, plan, schedule).on(Some(cluster))
}

/// Gives the workers machines, and some samples CPU figures and a warning.
pub fn describe(events: &mut [Event]) {
    for (number, event) in events.iter_mut().enumerate() {
        match &mut event.kind {
            EventKind::WorkerJoined { environment, .. } => {
                *environment = WorkerEnvironment {
                    kernel: "6.12.1".to_owned(),
                    os: "Debian GNU/Linux 13".to_owned(),
                    cpu: "Example CPU 9000".to_owned(),
                    cores: 8,
                    memory_bytes: 16 << 30,
                    mtu: 1500,
                    congestion_control: "cubic".to_owned(),
                    ..WorkerEnvironment::default()
                };
            }
            EventKind::Sample(sample) => {
                sample.metrics.set(name::CPU_PERCENT_CLIENT, 40.0);
                sample.metrics.set(name::CPU_PERCENT_SERVER, 60.0);
                if number % 7 == 0 {
                    sample.warnings.push(Warning::CpuSaturated {
                        end: host_metrics::End::Server,
                        busy_percent: 97.0,
                    });
                }
            }
            _ => {}
        }
    }
}

/// The report's page as a file.
pub fn page(report: &Report) -> (tempfile::TempDir, PathBuf) {
    page_from(&Document::page_from_report(report))
}

/// A document's page as a file.
pub fn page_from(document: &Document) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let page = html::render(document).unwrap();
    std::fs::write(&file, page).unwrap();
    (folder, file)
}

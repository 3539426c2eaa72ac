//! A tool that fails in every way and never runs.

use std::time::Duration;

use crate::catalog::Transport;
use crate::tools::{
    Cause, Client, Ended, Failure, How, Job, Metrics, Port, Program, Ready, Server, Tool,
};

/// Its client says on stdout which test it ran for, where it went, and which start it was.
#[derive(Debug)]
pub(super) struct Fake {
    pub cell: String,
    pub outlives_session: bool,
    pub has_port: bool,
}

/// Of its first path to a worker.
const FIRST_PORT: u16 = 5000;

const CAUSES: [Cause; 7] = [
    Cause::Refused,
    Cause::ServerBusy,
    Cause::MssRefused,
    Cause::NothingMoved,
    Cause::OptionRefused,
    Cause::WorkerLost,
    Cause::DataPortUnreachable,
];

impl Tool for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn programs(&self) -> Vec<Program<'_>> {
        Vec::new()
    }
    fn ports(&self, slot: u16) -> Vec<Port> {
        let port = Port {
            number: FIRST_PORT + slot,
            transport: Transport::Tcp,
        };
        self.has_port.then_some(port).into_iter().collect()
    }
    fn server(&self, job: &Job<'_>) -> Server {
        Server {
            argv: vec!["server".into(), self.cell.clone(), job.slot.to_string()],
            ready: Ready::Line("up".to_owned()),
        }
    }
    fn client(&self, job: &Job<'_>) -> Client {
        Client {
            argv: vec![
                "client".into(),
                self.cell.clone(),
                job.target.to_owned(),
                job.slot.to_string(),
            ],
            warmup_argv: Vec::new(),
            watch_tcp_port: None,
        }
    }
    fn overhead(&self) -> Duration {
        Duration::ZERO
    }
    fn usual_cost(&self) -> Duration {
        Duration::ZERO
    }
    fn has_warmup(&self) -> bool {
        true
    }
    fn outlives_session(&self) -> bool {
        self.outlives_session
    }
    fn read(&self, _: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        let cause = match &ended.how {
            How::Code(0) => {
                let said = String::from_utf8_lossy(&ended.stdout);
                let start = said.split(' ').next_back().and_then(|n| n.parse().ok());
                let mut metrics = Metrics::default();
                let start = start.unwrap_or(f64::NAN);
                metrics.set("start", start);
                metrics.set("lost_percent", (start * 37.0) % 2.0 * 100.0);
                return Ok(metrics);
            }
            How::Code(code) => CAUSES[usize::try_from(*code).unwrap_or(0) % CAUSES.len()],
            How::Signal(_) | How::Stopped => Cause::Killed,
            How::Deadline => Cause::Timeout,
            How::NotFound(_) => Cause::ToolMissing,
            How::NotStarted(_) => Cause::ToolError,
        };
        Err(Failure {
            cause,
            words: String::new(),
            note: String::new(),
        })
    }
    fn headline(&self) -> &'static str {
        "start"
    }
}

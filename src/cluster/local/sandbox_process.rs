//! The process of the sandbox, as the command line holds it.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// After this the sandbox is killed, and with it all that it holds.
const END: Duration = Duration::from_secs(2);

/// The sandbox's process. It ends with this value.
#[derive(Debug)]
pub struct SandboxProcess(Option<Child>);

impl SandboxProcess {
    /// Holds a process that was started.
    pub fn new(child: Child) -> Self {
        Self(Some(child))
    }

    /// Waits for its end, which must have been asked for.
    ///
    /// It is the end of the last process of the cluster: pid 1 of a pid namespace goes last, and the sandbox waits for it.
    pub async fn ended(&mut self) {
        let deadline = Instant::now() + END;
        while self.is_running() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.end();
    }

    fn is_running(&mut self) -> bool {
        let child = self.0.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Waits a moment for its end, which must have been asked for, and then kills it.
    fn end(&mut self) {
        let Some(mut child) = self.0.take() else {
            return;
        };
        let deadline = Instant::now() + END;
        // The socket is closed, so it ends by itself, in milliseconds.
        while let Ok(None) = child.try_wait() {
            if Instant::now() >= deadline {
                let _ = child.kill();
                let _ = child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        self.end();
    }
}

//! What this machine has of a tool, as pods of the local cluster will use it.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::host_paths::why_invisible;
use super::path_lookup::{locate, search_path};
use crate::catalog::OWN_PROGRAM;
use crate::diag::Problem;
use crate::tools::{Installed, Tool, Use};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(2);
/// No answer is longer.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// The version and the files of a tool: `3.12, /usr/bin/iperf3`. Programs that are not there are left
/// out. Blocks while the tool is asked for its version.
///
/// # Errors
/// Why the tool cannot measure here: it is too old, or pods do not see it.
pub fn tool_check(tool: &dyn Tool) -> Result<String, Problem> {
    let programs = tool.programs();
    if programs.iter().all(|program| program.name == OWN_PROGRAM) {
        return Ok(format!("{}, this program", env!("CARGO_PKG_VERSION")));
    }
    let found = programs.iter().filter_map(|program| locate(program.name));
    let mut files: Vec<PathBuf> = Vec::new();
    for file in found {
        let leads_to = file.canonicalize().unwrap_or_else(|_| file.clone());
        if let Some(problem) = why_invisible(&file).or_else(|| why_invisible(&leads_to)) {
            return Err(problem);
        }
        files.push(leads_to);
    }
    let mut parts: Vec<String> = Vec::new();
    if let Some(query) = tool.version_query() {
        let [program, option] = query.argv;
        let output = locate(program).and_then(|program| program_output(&program, option));
        let version = query.read(&output.unwrap_or_default());
        let installed = Installed {
            version: Some(&version),
            // Pods get an `/etc/protocols` of their own where this machine has none.
            names_tcp: Some(true),
        };
        if let Some(problem) = tool.unfit(&installed, Use::Server) {
            let (what, files) = (&problem.what, file_list(&files));
            let what = format!("{what} (found {files})");
            return Err(Problem { what, ..problem });
        }
        parts.push(match version.as_str() {
            "unknown" => "unknown version".to_owned(),
            version => version.to_owned(),
        });
    }
    parts.push(file_list(&files));
    Ok(parts.join(", "))
}

fn file_list(files: &[PathBuf]) -> String {
    let files: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    files.join(", ")
}

/// What a program prints on stdout; `None` when it cannot be started, or is not done in time.
fn program_output(program: &Path, option: &str) -> Option<String> {
    let mut child = Command::new(program)
        .arg(option)
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    // Where no thread can be started, nothing is received.
    let _ = thread::Builder::new().spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(LONGEST_ANSWER).read_to_end(&mut text);
        // Nobody waits any more for one that came too late.
        let _ = sender.send(read.map(|_| text));
    });
    let text = receiver.recv_timeout(PATIENCE);
    if let Ok(leader) = i32::try_from(child.id()) {
        // It has ended already, unless it hangs or prints without end.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
    let _ = child.wait();
    Some(String::from_utf8_lossy(&text.ok()?.ok()?).into_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_program_that_hangs_or_never_stops_printing_is_not_waited_for() {
        let shell = Path::new("/bin/sh");
        assert_eq!(program_output(Path::new("/no/such/program"), "-V"), None);
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        assert!(shell.exists());
        let begun = Instant::now();
        // The file is the shell's option here: `sh FILE`.
        let hangs = script("hangs", "echo iperf 3.12; exec sleep 60");
        assert_eq!(program_output(shell, hangs.to_str().unwrap()), None);
        let endless = script("endless", "while :; do echo iperf 3.12; done");
        let text = program_output(shell, endless.to_str().unwrap()).unwrap();
        assert_eq!(text.len() as u64, LONGEST_ANSWER);
        assert!(begun.elapsed() < Duration::from_secs(50));
    }
}

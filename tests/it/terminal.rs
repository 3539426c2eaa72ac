//! Progress as a person at a terminal sees it: the real program on a pseudo-terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};
use tempfile::TempDir;

use crate::support::{Netplan, Running, installed, local_cluster, needs, wait_until};

/// A sample that no test waits for.
const PLAN: &str = "\
version: 1
name: small
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: a-path-with-a-name-of-forty-columns-or-so, from: w1, to: w2, via: cluster_ip }]
defaults: { duration: 1s, repeat: 2 }
tests:
  - { name: short, iperf3: { mss: 1000 } }
  - { name: long, iperf3: { mss: 1000 }, duration: 60s }
";
/// What the program writes before each status line.
const ERASE_LINE: &str = "\r\x1b[K";
const CTRL_C: u8 = 3;

/// A run on a terminal of its own.
struct Terminal {
    folder: TempDir,
    running: Running,
    master: File,
    /// Keeps the terminal open after the child's end.
    slave: OwnedFd,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    fn start(columns: u16, term: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).unwrap();
        let (master, slave) = (File::from(pty.master), pty.slave);
        // In a session of its own, whose controlling terminal this one is.
        let running = Netplan::in_folder(&folder)
            .started_by(&["setsid", "--ctty", "--wait"])
            .args(["run", "plan.yaml", "--on", "local", "--output", "out"])
            .env("TERM", term)
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave.try_clone().unwrap())
            .start();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let reader = {
            let (mut master, seen) = (master.try_clone().unwrap(), Arc::clone(&seen));
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                // An error says that no process has the terminal open any more.
                while let Ok(n @ 1..) = master.read(&mut buffer) {
                    seen.lock().unwrap().extend_from_slice(&buffer[..n]);
                }
            })
        };
        Self {
            folder,
            running,
            master,
            slave,
            seen,
            reader,
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, text: &str) {
        wait_until(text, || self.seen().contains(text));
    }

    fn wait_for_the_long_sample(&self) {
        let journal = self.folder.path().join("out/events.jsonl");
        wait_until("the long sample", || {
            let text = fs::read_to_string(&journal).unwrap_or_default();
            let last = text.lines().last().unwrap_or_default();
            last.contains("sample_started") && last.contains("long/")
        });
    }

    fn press(&mut self, key: u8) {
        self.master.write_all(&[key]).unwrap();
    }

    /// Whether keys come one by one and unseen.
    fn gives_single_keys(&self) -> bool {
        let flags = tcgetattr(&self.slave).unwrap().local_flags;
        !flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO)
    }

    /// Waits for the end; the exit code, and all that was seen.
    fn end(self) -> (Option<i32>, String) {
        let code = self.running.finish().code;
        let before = tcgetattr(&self.slave).unwrap().local_flags;
        assert!(
            before.contains(LocalFlags::ICANON | LocalFlags::ECHO),
            "the terminal is not as it was"
        );
        drop(self.slave);
        self.reader.join().unwrap();
        let seen = self.seen.lock().unwrap();
        (code, String::from_utf8_lossy(&seen).into_owned())
    }
}

/// The status lines that were drawn.
fn status_lines(seen: &str) -> Vec<&str> {
    let drawn = seen.split(ERASE_LINE).skip(1);
    let lines = drawn.map(|rest| rest.split(['\r', '\n']).next().unwrap());
    lines
        .filter(|line| line.contains(['█', '▌', '░']))
        .collect()
}

#[test]
fn the_status_line_keeps_the_time_left_and_answers() {
    needs!(local_cluster(), installed(&["iperf3"]));
    for columns in [60, 80] {
        let mut terminal = Terminal::start(columns, "xterm");
        terminal.wait_for_the_long_sample();
        wait_until("single keys", || terminal.gives_single_keys());
        let shown = terminal.seen().len();
        terminal.press(b't');
        terminal.wait_for("    on w1: iperf3 -c <w2 cluster IP>");
        let answer = terminal.seen()[shown..].to_owned();
        assert!(answer.contains("1/2  "), "{answer}");
        assert!(answer.contains(": sample 1 of 2, "), "{answer}");
        // Two ticks later the time has moved on.
        let drawn = status_lines(&terminal.seen()).len();
        wait_until("two ticks", || {
            status_lines(&terminal.seen()).len() >= drawn + 2
        });
        terminal.press(CTRL_C);
        let (code, seen) = terminal.end();
        assert_eq!(code, Some(130), "{seen}");
        let lines = status_lines(&seen);
        for line in &lines {
            assert!(line.chars().count() < columns.into(), "{line}");
            let state = ["left", "stopping…", "removing"];
            assert!(state.iter().any(|state| line.contains(state)), "{line}");
        }
        assert!(
            lines.iter().any(|line| line.contains("stopping…")),
            "{seen}"
        );
        // Each line was erased before anything else was written.
        let left_behind = seen.lines().filter(|line| {
            let last = line.rsplit(ERASE_LINE).next().unwrap();
            last.contains("░")
        });
        assert_eq!(left_behind.count(), 0, "{seen}");
    }
}

#[test]
fn a_cell_shows_its_mean_so_far() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let mut terminal = Terminal::start(200, "xterm");
    terminal.wait_for_the_long_sample();
    terminal.press(CTRL_C);
    let (_, seen) = terminal.end();
    let lines = status_lines(&seen);
    let second = lines.iter().filter(|line| line.contains("short/"));
    let second: Vec<_> = second.filter(|line| line.contains("bit/s")).collect();
    assert!(!second.is_empty(), "{seen}");
}

#[test]
fn a_dumb_terminal_gets_plain_lines_and_keeps_its_settings() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let mut terminal = Terminal::start(80, "dumb");
    terminal.wait_for_the_long_sample();
    assert!(!terminal.gives_single_keys());
    terminal.wait_for("[1/2] short/");
    terminal.press(CTRL_C);
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(130), "{seen}");
    assert!(!seen.contains('\x1b'), "{seen}");
    assert!(seen.contains("(mean of 2 samples)"), "{seen}");
}

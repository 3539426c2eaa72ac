//! One process measures all paths of a worker: the first client that a worker starts listens, and the clients that the same
//! worker starts meanwhile hand it their work and print what it answers.
//!
//! To wake up and to switch between processes costs more than to send a packet: five clients that send a packet each
//! millisecond cost twice as much as one that sends five.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::parent_id;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

use super::pump::Pump;
use super::run::{Settings, measure, wake_on_time};
use crate::probe::clock::Clock;
use crate::probe::error::Error;
use crate::tools::probe_output::Document;

/// How much later than the first client others may end. Those that last longer measure by themselves.
const LATER: Duration = Duration::from_secs(1);
/// How long the first client may take to accept work.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(1);
/// How long a measurement may take beyond the time in which it sends.
const PREPARED_WITHIN: Duration = Duration::from_secs(15);

/// Paths that one process measures beside its own.
const MOST_OTHERS: usize = 255;
/// Of a document: it lists a bounded number of gaps.
const MOST_BYTES: u64 = 16 << 20;

/// What the first client answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// It measures, and the result follows.
    Accepted,
    Measured(Box<Document>),
    Failed(String),
}

/// Measures, in this process or in the first client of the same worker. Blocks until it is done.
///
/// # Errors
/// When the server cannot be reached at first. What happens later is what is measured.
pub fn run(settings: &Settings) -> Result<Document, Error> {
    let address = address();
    let listener = address.as_ref().map(UnixListener::bind_addr);
    match (listener, address) {
        (Some(Ok(listener)), _) => lead(settings, Some(listener)),
        (Some(Err(_)), Some(address)) => match hand_over(settings, &address) {
            Some(result) => result,
            None => lead(settings, None),
        },
        _ => lead(settings, None),
    }
}

/// The address where clients of the same worker meet: of the same parent process, in the same namespaces of network and
/// processes. `None` where the system does not say which these are.
fn address() -> Option<SocketAddr> {
    let processes = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let name = format!("netplan-probe/{}/{}", processes.display(), parent_id());
    SocketAddr::from_abstract_name(name).ok()
}

/// Lets the process at this address measure. `None` if it does not want to.
fn hand_over(settings: &Settings, address: &SocketAddr) -> Option<Result<Document, Error>> {
    let mut stream = UnixStream::connect_addr(address).ok()?;
    if !is_same_user(&stream) {
        return None;
    }
    stream.set_read_timeout(Some(ACCEPTED_WITHIN)).ok()?;
    write(&mut stream, settings).ok()?;
    let mut answers = BufReader::new(stream);
    let Ok(Answer::Accepted) = read(&mut answers) else {
        return None;
    };
    let patience = settings.sends_for().saturating_add(PREPARED_WITHIN);
    answers.get_ref().set_read_timeout(Some(patience)).ok()?;
    Some(match read(&mut answers) {
        Ok(Answer::Measured(document)) => Ok(*document),
        Ok(Answer::Failed(why)) => Err(Error::Told(why)),
        Ok(Answer::Accepted) => Err(Error::Told("the probe answered out of order".to_owned())),
        Err(why) => Err(Error::Told(format!(
            "the process that measured all paths of this worker has ended: {why}"
        ))),
    })
}

/// Measures in this process, and meanwhile what other clients hand over.
fn lead(settings: &Settings, listener: Option<UnixListener>) -> Result<Document, Error> {
    wake_on_time();
    let pump = Pump::start(Clock::start())?;
    let others = Arc::new(Others::default());
    if let Some(listener) = listener {
        let ends = Instant::now() + settings.sends_for().saturating_add(LATER);
        let (pump, others) = (pump.clone(), Arc::clone(&others));
        let thread = thread::Builder::new().name("sharing".to_owned());
        // Ends with the process.
        thread.spawn(move || accept(&listener, ends, &pump, &others))?;
    }
    let result = measure(settings, &pump);
    others.finish();
    result
}

/// Takes the work of other clients.
fn accept(listener: &UnixListener, ends: Instant, pump: &Pump, others: &Arc<Others>) {
    for stream in listener.incoming().flatten() {
        // Anybody in the network namespace can connect.
        if !is_same_user(&stream) {
            continue;
        }
        let (pump, others) = (pump.clone(), Arc::clone(others));
        let thread = thread::Builder::new().name("path".to_owned());
        // Without a thread the stream is closed, and the other client measures by itself.
        let _ = thread.spawn(move || {
            if let Some((settings, mut stream)) = requested(stream, ends)
                && others.begin()
            {
                // Whoever does not read it has ended, and misses nothing.
                let _ = serve(&settings, &mut stream, &pump);
                others.end();
            }
        });
    }
}

/// What a client asks for, if it ends in time.
fn requested(stream: UnixStream, ends: Instant) -> Option<(Settings, UnixStream)> {
    stream.set_read_timeout(Some(ACCEPTED_WITHIN)).ok()?;
    stream.set_write_timeout(Some(ACCEPTED_WITHIN)).ok()?;
    let mut lines = BufReader::new(stream);
    let settings: Settings = read(&mut lines).ok()?;
    let is_in_time = Instant::now() + settings.sends_for() <= ends;
    is_in_time.then(|| (settings, lines.into_inner()))
}

fn serve(settings: &Settings, stream: &mut UnixStream, pump: &Pump) -> io::Result<()> {
    write(stream, &Answer::Accepted)?;
    let answer = match measure(settings, pump) {
        Ok(document) => Answer::Measured(Box::new(document)),
        Err(error) => Answer::Failed(error.to_string()),
    };
    write(stream, &answer)
}

/// The clients whose paths are measured here.
#[derive(Debug, Default)]
struct Others {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    is_closed: bool,
}

impl Others {
    /// Begins a path, if the process does not end already and has room.
    fn begin(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = !state.is_closed && state.under_way < MOST_OTHERS;
        state.under_way += usize::from(begins);
        begins
    }

    fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way -= 1;
        self.ended.notify_all();
    }

    /// Begins no more, and waits until all have ended: they end [`LATER`] at most, and then what they wait for has a deadline.
    fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        let wait = LATER + PREPARED_WITHIN;
        let is_under_way = |state: &mut State| state.under_way > 0;
        let waited = self.ended.wait_timeout_while(state, wait, is_under_way);
        drop(waited);
    }
}

/// Only a process of the same user is trusted: anybody in the network namespace can take the address.
fn is_same_user(stream: &UnixStream) -> bool {
    getsockopt(stream, PeerCredentials).is_ok_and(|peer| peer.uid() == Uid::current().as_raw())
}

fn write(stream: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn read<T: for<'de> Deserialize<'de>>(lines: &mut impl BufRead) -> io::Result<T> {
    let mut line = String::new();
    lines.by_ref().take(MOST_BYTES).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&line)?)
}

//! Starts the parts of the server.

use std::io;
use std::thread;
use std::time::Duration;

use super::{connections, echo_tcp, echo_udp};

/// What the server does.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// UDP and TCP for packets; new connections come to the next one.
    pub port: u16,
    /// It ends by itself after this time, should nobody be left to stop it.
    pub lasts: Duration,
}

/// What a thread does.
type Work = Box<dyn FnOnce() + Send>;

/// Answers until its time is over. `ready` is called when all ports are open.
///
/// # Errors
/// When a port cannot be opened, or no thread can be started.
pub fn serve(settings: &Settings, ready: impl FnOnce()) -> io::Result<()> {
    let (packets, connects) = (settings.port, settings.port.saturating_add(1));
    let datagrams = echo_udp::open(packets)?;
    let streams = echo_tcp::listen(packets)?;
    let attempts = echo_tcp::listen(connects)?;
    let threads: [(&str, Work); 3] = [
        ("udp", Box::new(move || echo_udp::answer(&datagrams))),
        ("tcp", Box::new(move || echo_tcp::accept(&streams))),
        (
            "connections",
            Box::new(move || connections::take(&attempts)),
        ),
    ];
    for (name, work) in threads {
        thread::Builder::new().name(name.to_owned()).spawn(work)?;
    }
    ready();
    // The threads end with the process.
    thread::sleep(settings.lasts);
    Ok(())
}

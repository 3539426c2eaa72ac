//! What the processes say to the command line: over the socket, and on standard error.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use crate::cluster::Error;
use crate::cluster::local::ipc::framing::Sender;
use crate::cluster::local::ipc::messages::Message;
use crate::diag::printable;

/// Says something to whoever reads this process's standard error: the command line, or a pod's log.
pub fn print_error(message: &str) {
    // Nobody may be reading it any more.
    let _ = writeln!(io::stderr(), "{}", printable::lines(message));
}

/// The first message to the command line.
pub fn send_hello(hello: Result<(), Error>) {
    if let Ok(stream) = socket() {
        // Nobody listens only when the command line is gone, and then nobody cares.
        let _ = Sender::new(stream).send(&Message::Hello(hello), None);
    }
}

/// The socket to the command line.
pub fn socket() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

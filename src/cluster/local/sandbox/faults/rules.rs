//! A fault of rules: prepared once, switched by a message to the kernel in each namespace.

use std::io;

use jiff::Timestamp;
use nix::sys::socket::SockProtocol;

use super::batch::{answers, batch};
use crate::cluster::local::blueprint::fault::{Direction, RuleChange};
use crate::cluster::local::sandbox::netns::{Namespaces, enter};
use crate::cluster::local::sandbox::threads::on_own_thread;
use crate::cluster::{Error, FaultSwitch};
use crate::system::netlink::Socket;

/// The sockets and messages of a fault.
#[derive(Debug)]
pub struct Rules(Vec<Site>);

/// The fault in one namespace.
#[derive(Debug)]
struct Site {
    namespace: String,
    socket: Socket,
    begin: Vec<u8>,
    end: Vec<u8>,
}

impl Rules {
    /// Opens the sockets; what makes the sets must have been done.
    pub fn new(change: &RuleChange, namespaces: &Namespaces) -> Result<Self, Error> {
        let reverse = match change.begin {
            Direction::Add => Direction::Remove,
            Direction::Remove => Direction::Add,
        };
        let sites = change.elements.iter().map(|(namespace, elements)| {
            Ok(Site {
                namespace: namespace.clone(),
                socket: open(namespace, namespaces)?,
                begin: batch(change.begin, elements),
                end: batch(reverse, elements),
            })
        });
        sites.collect::<Result<_, _>>().map(Self)
    }

    /// Begins or ends the fault. What fails in one namespace is undone in the others.
    pub fn switch(&self, is_on: bool) -> Result<FaultSwitch, Error> {
        let before = Timestamp::now();
        let sent: Vec<io::Result<()>> = self.0.iter().map(|site| site.send(is_on)).collect();
        let after = Timestamp::now();
        let results = self.0.iter().zip(sent);
        let results: Vec<(&Site, io::Result<()>)> = results
            .map(|(site, sent)| (site, sent.and_then(|()| site.answer())))
            .collect();
        let failed = results.iter().find_map(|(site, result)| {
            let error = result.as_ref().err()?;
            let what = format!("change the rules in namespace `{}`", site.namespace);
            Some(Error::system(what, error))
        });
        let Some(error) = failed else {
            return Ok(FaultSwitch { before, after });
        };
        for (site, result) in results {
            if result.is_ok() {
                // The first error is the one that counts.
                let _ = site.send(!is_on).and_then(|()| site.answer());
            }
        }
        Err(error)
    }
}

impl Site {
    /// The kernel makes the change within this call.
    fn send(&self, is_on: bool) -> io::Result<()> {
        self.socket
            .send(if is_on { &self.begin } else { &self.end })
    }

    /// What the kernel said; it has answered when `send` returns.
    fn answer(&self) -> io::Result<()> {
        let mut is_done = false;
        loop {
            match self.socket.receive() {
                Ok(datagram) => {
                    for error in answers(&datagram) {
                        if error != 0 {
                            return Err(io::Error::from_raw_os_error(error));
                        }
                        is_done = true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && is_done => {
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::Error::other(
                        "the kernel did not acknowledge the change",
                    ));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A socket to the kernel's packet filter in a namespace.
fn open(name: &str, namespaces: &Namespaces) -> Result<Socket, Error> {
    let what = format!("open the packet filter of namespace `{name}`");
    let namespace = namespaces
        .get(name)
        .ok_or_else(|| Error::system(&what, "there is no such namespace"))?;
    on_own_thread(&what, || {
        enter(namespace)?;
        Socket::open(SockProtocol::NetlinkNetFilter, 0).map_err(|error| Error::system(&what, error))
    })
}

//! Messages over a Unix socket: a length, JSON, and now and then a file descriptor.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// No message of a run comes near; a length beyond it is noise.
const LARGEST: usize = 256 << 20;

/// The sending half; threads share it.
#[derive(Debug)]
pub struct Sender(Mutex<UnixStream>);

impl Sender {
    pub fn new(stream: UnixStream) -> Self {
        Self(Mutex::new(stream))
    }

    /// Sends one message, with or without a file descriptor.
    pub fn send<T: Serialize>(&self, message: &T, fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let body = serde_json::to_vec(message)?;
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut frame = length.to_le_bytes().to_vec();
        frame.extend(body);
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = frame.as_slice();
        if let Some(fd) = fd {
            let fds = [fd];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            control.push(SendAncillaryMessage::ScmRights(&fds));
            let flags = SendFlags::NOSIGNAL;
            let sent = rustix::net::sendmsg(&*stream, &[IoSlice::new(rest)], &mut control, flags)?;
            rest = &rest[sent..];
        }
        stream.write_all(rest)
    }

    /// Ends the conversation, for both halves.
    pub fn close(&self) {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be closed already.
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    stream: UnixStream,
    bytes: VecDeque<u8>,
    fds: VecDeque<OwnedFd>,
}

impl Receiver {
    pub fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            bytes: VecDeque::new(),
            fds: VecDeque::new(),
        }
    }

    /// Waits for the next message; `None` at the end of the stream.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(head) = self.take(4)? else {
            return Ok(None);
        };
        let length = head
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if length > LARGEST {
            return Err(io::Error::other("message too long"));
        }
        let Some(body) = self.take(length)? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&body)?))
    }

    /// The oldest file descriptor that came and was not taken. It comes no later than the message
    /// that it belongs to, and in the order of these.
    pub fn take_fd(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
    }

    fn take(&mut self, count: usize) -> io::Result<Option<Vec<u8>>> {
        while self.bytes.len() < count {
            let mut buffer = [0; 16 * 1024];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = RecvFlags::CMSG_CLOEXEC;
            let read = match rustix::net::recvmsg(&self.stream, &mut parts, &mut control, flags) {
                Ok(message) => message.bytes,
                Err(rustix::io::Errno::INTR) => continue,
                Err(rustix::io::Errno::CONNRESET) => 0,
                Err(error) => return Err(error.into()),
            };
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(fds) = message {
                    self.fds.extend(fds);
                }
            }
            if read == 0 {
                return Ok(None);
            }
            self.bytes.extend(&buffer[..read]);
        }
        Ok(Some(self.bytes.drain(..count).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn messages_and_descriptors_arrive_in_order() {
        let (near, far) = UnixStream::pair().unwrap();
        let sender = Sender::new(near);
        let mut receiver = Receiver::new(far);
        let (mut mine, theirs) = UnixStream::pair().unwrap();
        let long = "x".repeat(100_000);
        let thread = std::thread::spawn(move || {
            sender.send(&long, None).unwrap();
            sender.send(&"with", Some(theirs.as_fd())).unwrap();
            sender.send(&"last", None).unwrap();
        });
        assert_eq!(
            receiver.receive::<String>().unwrap().unwrap().len(),
            100_000
        );
        assert_eq!(receiver.receive::<String>().unwrap().unwrap(), "with");
        let mut passed = UnixStream::from(receiver.take_fd().unwrap());
        assert_eq!(receiver.receive::<String>().unwrap().unwrap(), "last");
        assert!(receiver.take_fd().is_none());
        thread.join().unwrap();
        assert_eq!(receiver.receive::<String>().unwrap(), None);
        passed.write_all(b"hello").unwrap();
        drop(passed);
        let mut text = String::new();
        mine.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }
}

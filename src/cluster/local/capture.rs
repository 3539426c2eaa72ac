//! A packet capture, as the command line reads it from the socket that the sandbox opened.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;

use jiff::Timestamp;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::MsgFlags;

use super::in_order::{InOrder, Segment};
use crate::cluster::Arrivals;
use crate::system::receive::receive;

/// The longest headers: those of IPv4 and of TCP, with options.
const HEADERS: usize = 120;

/// Reads on a thread of its own, until the stream that is returned is dropped.
pub fn start(socket: OwnedFd, into: Arrivals) -> io::Result<UnixStream> {
    let (near, far) = UnixStream::pair()?;
    thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || read(&socket, &far, &into))?;
    Ok(near)
}

fn read(socket: &OwnedFd, end: &UnixStream, into: &Arrivals) {
    let mut streams = InOrder::default();
    loop {
        let mut waiting = [
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(end.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waiting, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
        let [_, end_event] = &waiting;
        let is_ended = end_event.any().unwrap_or(true);
        let mut packet = [0; HEADERS];
        while let Ok(received) = receive(socket, &mut packet, MsgFlags::MSG_DONTWAIT) {
            let headers = packet.get(..received.length).unwrap_or_default();
            let is_readable = segment(headers).is_some_and(|segment| streams.arrive(segment));
            let Some(stamp) = received.stamp.filter(|_| is_readable) else {
                continue;
            };
            let nanoseconds = i32::try_from(stamp.tv_nsec());
            let at = nanoseconds.map(|nanos| Timestamp::new(stamp.tv_sec(), nanos));
            if let Ok(Ok(at)) = at {
                into.add(at);
            }
        }
        if is_ended {
            return;
        }
    }
}

/// A TCP segment over IPv4, from its headers; `None` of one without payload, and of what is none.
fn segment(packet: &[u8]) -> Option<Segment> {
    let number = |at: usize, length: usize| {
        let bytes = packet.get(at..at + length)?;
        Some(
            bytes
                .iter()
                .fold(0, |sum: u32, byte| (sum << 8) | u32::from(*byte)),
        )
    };
    let header = (number(0, 1)? & 0x0f) * 4;
    let tcp = usize::try_from(header).ok()?;
    let headers = header + (number(tcp + 12, 1)? >> 4) * 4;
    Some(Segment {
        to: u16::try_from(number(tcp + 2, 2)?).ok()?,
        sequence: number(tcp + 4, 4)?,
        length: number(2, 2)?.checked_sub(headers)?,
    })
    .filter(|segment| segment.length > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_payload_is_what_the_headers_leave() {
        let mut packet = vec![0; 52];
        packet[0] = 0x45;
        packet[3] = 92;
        packet[22..24].copy_from_slice(&40_000_u16.to_be_bytes());
        packet[24..28].copy_from_slice(&70_000_u32.to_be_bytes());
        // TCP with 12 bytes of options.
        packet[32] = 8 << 4;
        let expected = Segment {
            to: 40_000,
            sequence: 70_000,
            length: 40,
        };
        assert_eq!(segment(&packet), Some(expected));
        packet[3] = 52;
        assert_eq!(segment(&packet), None, "an acknowledgement");
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_payload_that_fits_a_packet(packet in prop::collection::vec(any::<u8>(), 0..130)) {
            let length = segment(&packet).map_or(1, |segment| segment.length);
            prop_assert!((1..=u32::from(u16::MAX)).contains(&length));
        }
    }
}

//! Converts between gRPC messages and the types of the rest of the program, without loss.

use std::net::IpAddr;
use std::time::Duration;

use super::pb::dialled_address::Outcome;
use super::pb::exit::How as PbHow;
use super::pb::start_server::Ready as PbReady;
use super::pb::{self, DialledAddress, RawOutput, Record};
use crate::connectivity::{Answer, Segment};
use crate::tools::{Cut, Ended, How, Port, Ready, Transport};

/// How a server is ready, as a message.
#[must_use]
pub fn ready(ready: Ready) -> PbReady {
    match ready {
        Ready::Line(text) => PbReady::ReadyLine(text),
        Ready::Port(Port { number, transport }) => match transport {
            Transport::Tcp => PbReady::ReadyTcpPort(u32::from(number)),
            Transport::Udp => PbReady::ReadyUdpPort(u32::from(number)),
        },
        Ready::Exited => PbReady::ReadyExited(true),
        Ready::Nothing => PbReady::ReadyNothing(true),
    }
}

/// How a server is ready, from its message.
///
/// # Errors
/// When the message does not say how, or names no port.
pub fn how_ready(ready: Option<PbReady>) -> Result<Ready, Malformed> {
    let port = |number: u32, transport| match u16::try_from(number) {
        Ok(number @ 1..) => Ok(Ready::Port(Port { number, transport })),
        _ => Err(Malformed("ready")),
    };
    match ready {
        Some(PbReady::ReadyLine(text)) => Ok(Ready::Line(text)),
        Some(PbReady::ReadyTcpPort(number)) => port(number, Transport::Tcp),
        Some(PbReady::ReadyUdpPort(number)) => port(number, Transport::Udp),
        Some(PbReady::ReadyExited(true)) => Ok(Ready::Exited),
        Some(PbReady::ReadyNothing(true)) => Ok(Ready::Nothing),
        Some(PbReady::ReadyExited(false) | PbReady::ReadyNothing(false)) | None => {
            Err(Malformed("ready"))
        }
    }
}

/// An address that was dialled, with its answer; `None` for an outcome that this version does not know.
#[must_use]
pub fn answer(dialled: &DialledAddress) -> Option<(IpAddr, Answer)> {
    let answer = match dialled.outcome.as_ref()? {
        Outcome::Connected(_) => Answer::Connected {
            took: Duration::from_micros(dialled.took_us),
            segment: match (dialled.segment_bytes, dialled.segment_lost) {
                (0, _) => Segment::NotSent,
                (bytes, true) => Segment::Lost(bytes),
                (bytes, false) => Segment::Answered(bytes),
            },
        },
        Outcome::TimedOut(_) => Answer::TimedOut,
        Outcome::Refused(_) => Answer::Refused,
        Outcome::Unreachable(why) => Answer::Unreachable(why.clone()),
        Outcome::Failed(why) => Answer::Failed(why.clone()),
    };
    Some((dialled.address.parse().ok()?, answer))
}

/// A message that keeps the syntax of the contract, but not its sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message lacks `{0}`, or carries a kind that this version does not know")]
pub struct Malformed(pub &'static str);

/// How a process ended, as a message.
#[must_use]
pub fn exit(ended: Ended) -> pb::Exit {
    let how = match ended.how {
        How::Code(code) => PbHow::Code(code),
        How::Signal(signal) => PbHow::Signal(signal),
        How::Deadline => PbHow::Deadline(true),
        How::Stopped => PbHow::Stopped(true),
        How::NotFound(program) => PbHow::NotFound(program),
        How::NotStarted(why) => PbHow::NotStarted(why),
    };
    pb::Exit {
        how: Some(how),
        stdout: ended.stdout,
        stderr: ended.stderr,
        stdout_cut: ended.cut.stdout,
        stderr_cut: ended.cut.stderr,
    }
}

/// How a process ended, from its message.
///
/// # Errors
/// When the message does not say how.
pub fn ended(exit: pb::Exit) -> Result<Ended, Malformed> {
    let how = match exit.how {
        Some(PbHow::Code(code)) => How::Code(code),
        Some(PbHow::Signal(signal)) => How::Signal(signal),
        Some(PbHow::Deadline(true)) => How::Deadline,
        Some(PbHow::Stopped(true)) => How::Stopped,
        Some(PbHow::NotFound(program)) => How::NotFound(program),
        Some(PbHow::NotStarted(why)) => How::NotStarted(why),
        Some(PbHow::Deadline(false) | PbHow::Stopped(false)) | None => {
            return Err(Malformed("exit.how"));
        }
    };
    Ok(Ended {
        how,
        stdout: exit.stdout,
        stderr: exit.stderr,
        cut: Cut {
            stdout: exit.stdout_cut,
            stderr: exit.stderr_cut,
        },
    })
}

/// The `exit` of a `*Ended` message.
///
/// # Errors
/// When it has none, or one that does not say how.
pub fn what_ended(exit: Option<pb::Exit>) -> Result<Ended, Malformed> {
    ended(exit.ok_or(Malformed("exit"))?)
}

/// A record of a journal as a message, with the name and content of the raw output that belongs to it.
#[must_use]
pub fn record(seq: u64, line: String, raw: Option<(String, Vec<u8>)>) -> Record {
    let raw = raw.map(|(name, content)| RawOutput { name, content });
    Record {
        seq,
        line,
        raw,
        gathering: None,
        go: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    fn any_ended() -> impl Strategy<Value = Ended> {
        let how = prop_oneof![
            any::<i32>().prop_map(How::Code),
            any::<i32>().prop_map(How::Signal),
            Just(How::Deadline),
            Just(How::Stopped),
            any::<String>().prop_map(How::NotFound),
            any::<String>().prop_map(How::NotStarted),
        ];
        let cut = any::<[u64; 2]>().prop_map(|[stdout, stderr]| Cut { stdout, stderr });
        (how, any::<Vec<u8>>(), any::<Vec<u8>>(), cut).prop_map(|(how, stdout, stderr, cut)| {
            Ended {
                how,
                stdout,
                stderr,
                cut,
            }
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_on_the_wire(there in any_ended()) {
            let bytes = exit(there.clone()).encode_to_vec();
            let back = ended(pb::Exit::decode(bytes.as_slice()).unwrap());
            prop_assert_eq!(back, Ok(there));
        }

        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes in any::<Vec<u8>>()) {
            if let Ok(exit) = pb::Exit::decode(bytes.as_slice()) {
                let _ = ended(exit);
            }
        }
    }

    #[test]
    fn an_exit_that_does_not_say_how_is_malformed() {
        assert_eq!(what_ended(None), Err(Malformed("exit")));
        assert!(ended(pb::Exit::default()).is_err());
        let denied = pb::Exit {
            how: Some(PbHow::Stopped(false)),
            ..pb::Exit::default()
        };
        assert!(ended(denied).is_err());
    }
}

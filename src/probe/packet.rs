//! The packets of the probe. A request carries what the client needs to judge the answer, so that nobody keeps a list of
//! packets under way.

/// The length of a packet, in bytes.
pub(super) const LENGTH: usize = 40;

/// The first bytes, by which other traffic is told apart.
const MARK: [u8; 4] = *b"npp1";

/// A request or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub kind: Kind,
    /// Chosen by the client for each measurement: answers with another one belong to an earlier one.
    pub token: u64,
    /// Counts the packets of a measurement from 0.
    pub number: u64,
    /// What the latency counts from, by the client's clock, in nanoseconds. In [`Kind::Cost`] the CPU time of
    /// the server in nanoseconds. In [`Kind::SizeRequest`] the payload that the answer shall have, in bytes; in the
    /// kinds that say that a packet is too big the largest one that is taken, or 0.
    pub time: u64,
    /// How long the packet waited for the server's process, in microseconds. In [`Kind::Cost`] the longest of these times so
    /// far.
    pub held_us: u32,
}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Answer,
    CostRequest,
    Cost,
    /// Asks for an answer of a size.
    SizeRequest,
    SizeAnswer,
    /// An answer is too big for the server's interface.
    TooBigForInterface,
    /// A router has said that an answer is too big.
    TooBigForRouter,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::Request,
        Kind::Answer,
        Kind::CostRequest,
        Kind::Cost,
        Kind::SizeRequest,
        Kind::SizeAnswer,
        Kind::TooBigForInterface,
        Kind::TooBigForRouter,
    ];

    fn code(self) -> u8 {
        self as u8
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Packet {
    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&MARK);
        bytes[4] = self.kind.code();
        bytes[8..16].copy_from_slice(&self.token.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.time.to_be_bytes());
        bytes[32..36].copy_from_slice(&self.held_us.to_be_bytes());
        bytes
    }

    /// The packet with zeros behind it, in all so many bytes.
    pub(super) fn padded(self, length: usize) -> Vec<u8> {
        let mut bytes = self.to_bytes().to_vec();
        bytes.resize(length.max(LENGTH), 0);
        bytes
    }

    /// The packet in these bytes; `None` for other traffic.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        if bytes[..4] != MARK {
            return None;
        }
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(eight)
        };
        Some(Self {
            kind: Kind::from_code(bytes[4])?,
            token: number(8),
            number: number(16),
            time: number(24),
            held_us: u32::from_be_bytes([bytes[32], bytes[33], bytes[34], bytes[35]]),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_packet_is_read_as_it_was_written(code in 0_u8..8, token: u64, number: u64, time: u64, held_us: u32) {
            let kind = Kind::from_code(code).unwrap();
            let packet = Packet { kind, token, number, time, held_us };
            prop_assert_eq!(Packet::from_bytes(&packet.to_bytes()), Some(packet));
        }

        #[test]
        fn other_traffic_is_no_packet(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assume!(!bytes.starts_with(&MARK));
            prop_assert_eq!(Packet::from_bytes(&bytes), None);
        }
    }
}

//! How much may wait at an emulated link.

use serde::Serialize;

use crate::plan::model::units::{BitRate, Bytes, Duration};

/// The largest queue: the kernel counts its bytes in 32 bits.
pub const MOST_QUEUE_BYTES: u64 = 1 << 30;

/// What may wait at an end of a link until it is sent; what comes on top of it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Queue {
    /// As much as the link sends in this time.
    Time(Duration),
    /// Bytes on the wire, Ethernet headers included.
    Bytes(Bytes),
}

impl Queue {
    /// In bytes, at a link of this rate.
    #[must_use]
    pub fn bytes(self, rate: BitRate) -> u64 {
        match self {
            Queue::Bytes(bytes) => bytes.0,
            Queue::Time(time) => {
                let bits = u128::from(rate.0) * time.0.as_nanos() / 1_000_000_000;
                u64::try_from(bits / 8).unwrap_or(u64::MAX)
            }
        }
    }
}

//! The parameters that declared tools share with the built-in ones.

use std::ops::RangeInclusive;

use super::{Kind, LARGEST_DATAGRAM_BYTES, MSS_BYTES};

/// A parameter that a declared tool has without declaring it, when its commands use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedParameter {
    pub name: &'static str,
    pub kind: Kind,
    /// The allowed values, in the unit of `kind`.
    pub limits: RangeInclusive<u64>,
}

const fn shared(name: &'static str, kind: Kind, limits: RangeInclusive<u64>) -> SharedParameter {
    SharedParameter { name, kind, limits }
}

/// Those parameters, in the order in which they vary: the last one fastest.
pub static SHARED_PARAMETERS: [SharedParameter; 7] = [
    shared("streams", Kind::Number("streams"), 1..=10_000),
    shared("rate", Kind::BitRate, 1..=1_000_000_000_000),
    shared("write_size", Kind::Bytes, 1..=1 << 30),
    shared("request", Kind::Bytes, 1..=1 << 30),
    shared("response", Kind::Bytes, 1..=1 << 30),
    shared(
        "datagram",
        Kind::Number("bytes"),
        1..=LARGEST_DATAGRAM_BYTES,
    ),
    shared("mss", Kind::Number("bytes"), MSS_BYTES),
];

/// The shared parameter of this name.
#[must_use]
pub fn shared_parameter(name: &str) -> Option<&'static SharedParameter> {
    SHARED_PARAMETERS.iter().find(|shared| shared.name == name)
}

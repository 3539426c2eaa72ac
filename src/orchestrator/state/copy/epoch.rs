//! Epochs: each orchestrator process of a run has one, and a successor's is greater.

use std::fmt;

/// Bits of the part that tells apart two orchestrators that start at the same time.
const SALT_BITS: u32 = 32;

/// The epoch of an orchestrator. Workers obey the greatest one that they have seen, so that of two
/// orchestrators only one decides. The default is that of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// An epoch after this one. `salt` is random: two successors of the same epoch differ by it.
    #[must_use]
    pub fn successor(self, salt: u32) -> Self {
        let number = (self.number() + 1).min(u64::from(u32::MAX));
        Self(number << SALT_BITS | u64::from(salt))
    }

    /// Counts the orchestrators of a run from 1.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0 >> SALT_BITS
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_successor_is_greater(salts in prop::collection::vec(any::<u32>(), 1..20)) {
            let mut epoch = Epoch::default();
            for (salt, number) in salts.into_iter().zip(1..) {
                let next = epoch.successor(salt);
                prop_assert!(next > epoch);
                prop_assert_eq!(next.number(), number);
                epoch = next;
            }
        }

        #[test]
        fn any_number_from_the_wire_has_a_successor(epoch: u64, salt: u32) {
            prop_assert!(Epoch(epoch).successor(salt).number() >= Epoch(epoch).number());
        }
    }
}

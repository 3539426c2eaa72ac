//! Pauses between attempts to reach something.

use std::time::Duration;

/// Pauses between attempts: the first few are short, because all parts of a local run start at
/// once; then a node needs a second or two to learn where a Service leads; the last ones are long enough not to burden the peer.
#[derive(Debug, Default)]
pub(super) struct Pauses(u32);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(2);
    /// While a Service may become known, for some 2 s.
    const SHORT: Duration = Duration::from_millis(64);
    const SHORT_PAUSES: u32 = 36;
    const LONGEST: Duration = Duration::from_millis(500);

    pub fn is_first(&self) -> bool {
        self.0 == 0
    }

    pub fn next(&mut self) -> Duration {
        let nth = self.0;
        self.0 = nth.saturating_add(1);
        if nth < Self::SHORT_PAUSES {
            let pause = Self::FIRST.saturating_mul(2_u32.saturating_pow(nth));
            pause.min(Self::SHORT)
        } else {
            let pause = Self::SHORT.saturating_mul(2_u32.saturating_pow(nth - Self::SHORT_PAUSES));
            pause.min(Self::LONGEST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_milliseconds_to_half_a_second() {
        let mut pauses = Pauses::default();
        let mut first =
            |count: usize| -> Vec<u128> { (0..count).map(|_| pauses.next().as_millis()).collect() };
        assert_eq!(first(6), [2, 4, 8, 16, 32, 64]);
        assert_eq!(first(30), [64; 30]);
        assert_eq!(first(5), [64, 128, 256, 500, 500]);
        assert_eq!(Pauses(u32::MAX).next(), Pauses::LONGEST);
    }
}

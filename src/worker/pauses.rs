//! Pauses between attempts to reach something.

use std::time::Duration;

/// Pauses between attempts: the first few are short, because all parts of a local run start at
/// once; the last ones are bearable for whoever is asked.
#[derive(Debug, Default)]
pub(super) struct Pauses(u32);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(2);
    const LONGEST: Duration = Duration::from_millis(500);

    pub fn is_first(&self) -> bool {
        self.0 == 0
    }

    pub fn next(&mut self) -> Duration {
        let pause = Self::FIRST.saturating_mul(2_u32.saturating_pow(self.0));
        self.0 = self.0.saturating_add(1);
        pause.min(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_milliseconds_to_half_a_second() {
        let mut pauses = Pauses::default();
        let first: Vec<u128> = (0..10).map(|_| pauses.next().as_millis()).collect();
        assert_eq!(first, [2, 4, 8, 16, 32, 64, 128, 256, 500, 500]);
        assert_eq!(Pauses(u32::MAX).next(), Pauses::LONGEST);
    }
}

//! A sample as a line of characters: where gaps are, and where something was done.

use crate::tools::Gap;

/// Characters of a timeline.
const WIDTH: u64 = 40;

/// What the characters of timelines with marks mean.
pub const LEGEND: &str = "█ no answer, │ a mark, ▓ both";

/// A sample from its begin to its end: `█` where a gap is, `│` where a mark is, `▓` where both are. Marks count from the begin.
pub fn timeline(gaps: &[Gap], marks_us: &[u64], lasted_us: u64) -> String {
    let part = |index: u64| lasted_us.saturating_mul(index) / WIDTH;
    let character = |index: u64| {
        let (from, to) = (part(index), part(index + 1));
        let is_out = gaps
            .iter()
            .any(|gap| gap.at_us < to && gap.at_us.saturating_add(gap.length_us) > from);
        let is_marked = marks_us.iter().any(|at_us| (from..to).contains(at_us));
        match (is_out, is_marked) {
            (false, false) => '·',
            (true, false) => '█',
            (false, true) => '│',
            (true, true) => '▓',
        }
    };
    (0..WIDTH).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(at_us: u64, length_us: u64) -> Gap {
        Gap {
            at_us,
            length_us,
            connection: None,
            open: false,
        }
    }

    #[test]
    fn a_timeline_shows_where_gaps_are() {
        assert_eq!(timeline(&[], &[], 1_000_000), "·".repeat(40));
        let gaps = [gap(250_000, 100_000), gap(990_000, 500_000)];
        let shown = timeline(&gaps, &[], 1_000_000);
        let expected = [
            "·".repeat(10),
            "█".repeat(4),
            "·".repeat(25),
            "█".to_owned(),
        ]
        .concat();
        assert_eq!(shown, expected);
        // A short gap is seen, too.
        let shown = timeline(&[gap(0, 1)], &[], 86_400_000_000);
        assert_eq!(shown.matches('█').count(), 1);
    }

    #[test]
    fn marks_are_on_the_timeline() {
        let shown = timeline(&[gap(255_000, 100_000)], &[250_000, 500_000], 1_000_000);
        let expected = [
            "·".repeat(10),
            "▓███".to_owned() + "█",
            "·".repeat(5),
            "│".to_owned(),
            "·".repeat(19),
        ]
        .concat();
        assert_eq!(shown, expected);
        // What is done after the end is not on it.
        assert_eq!(timeline(&[], &[1_000_000], 1_000_000), "·".repeat(40));
    }
}

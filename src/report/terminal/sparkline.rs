//! A sweep's shape in one line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar a value, from 0 to `top`; a value that is not there is a dot.
pub fn line(values: &[Option<f64>], top: f64) -> String {
    values
        .iter()
        .map(|value| match value {
            None => '·',
            Some(value) => bar(*value, top),
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the indices of eight bars"
)]
fn bar(value: f64, top: f64) -> char {
    let share = if top > 0.0 { value / top } else { 0.0 };
    let step = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    BARS[step.clamp(1, 8) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_from_nothing_to_the_top() {
        let values = [Some(0.0), Some(1.0), None, Some(4.0), Some(8.0), Some(9.0)];
        assert_eq!(line(&values, 8.0), "▁▁·▄██");
        assert_eq!(line(&[Some(0.0), Some(f64::NAN)], 0.0), "▁▁");
    }
}

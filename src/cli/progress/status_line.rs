//! Fits the parts of the status line into the width of the terminal.

/// The shortest and the longest bar, in columns.
const BAR: (usize, usize) = (8, 20);
/// On a narrower terminal there is no bar.
const LEAST_WIDTH_FOR_BAR: usize = 50;
/// A name of fewer columns is not useful.
const LEAST_NAME: usize = 6;
const GAP: &str = "  ";

/// What the status line shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// The share of the work that is done, 0 to 1.
    pub share: f64,
    /// Count and time left. It is never cut off on a terminal of 60 columns.
    pub state: String,
    /// What runs. It is cut off at its end when there is no room.
    pub name: String,
    /// What is known of it. It is left out when there is no room for all of it.
    pub detail: String,
}

/// One line of fewer than `width` columns: in the last column some terminals wrap.
pub(super) fn fit(parts: &Parts, width: usize) -> String {
    let room = width.saturating_sub(1);
    let mut line = String::new();
    if width >= LEAST_WIDTH_FOR_BAR {
        let beside = columns(&parts.state) + columns(&parts.name) + 2 * GAP.len();
        let (shortest, longest) = BAR;
        let columns = room.saturating_sub(beside).clamp(shortest, longest);
        line.push_str(&bar(parts.share, columns));
        line.push_str(GAP);
    }
    line.push_str(&parts.state);
    let left = room.saturating_sub(columns(&line) + GAP.len());
    if !parts.name.is_empty() && left >= columns(&parts.name).min(LEAST_NAME) {
        line.push_str(GAP);
        line.push_str(&cut(&parts.name, left));
    }
    let left = room.saturating_sub(columns(&line) + GAP.len());
    if !parts.detail.is_empty() && left >= columns(&parts.detail) {
        line.push_str(GAP);
        line.push_str(&parts.detail);
    }
    cut(&line, room)
}

fn bar(share: f64, columns: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is at most 1"
    )]
    let halves = (share.clamp(0.0, 1.0) * 2.0 * columns as f64) as usize;
    let full = halves / 2;
    let half = halves % 2;
    [
        "█".repeat(full),
        "▌".repeat(half),
        "░".repeat(columns - full - half),
    ]
    .concat()
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The text, or its beginning and `…`.
fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(room.saturating_sub(1)).collect();
    if room > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts() -> Parts {
        Parts {
            share: 0.5,
            state: "12/118  3 min 20 s left".to_owned(),
            name: "iperf3-tcp/same-node-service/streams=8,mss=1440".to_owned(),
            detail: "mean of 3: 950 Mbit/s".to_owned(),
        }
    }

    #[test]
    fn the_time_left_comes_before_the_name_at_every_width() {
        let at = |width| fit(&parts(), width);
        assert_eq!(
            at(120),
            "██████████░░░░░░░░░░  12/118  3 min 20 s left  \
             iperf3-tcp/same-node-service/streams=8,mss=1440  mean of 3: 950 Mbit/s"
        );
        assert_eq!(
            at(80),
            "████░░░░  12/118  3 min 20 s left  iperf3-tcp/same-node-service/streams=8,mss=…"
        );
        assert_eq!(
            at(60),
            "████░░░░  12/118  3 min 20 s left  iperf3-tcp/same-node-se…"
        );
        assert_eq!(at(40), "12/118  3 min 20 s left  iperf3-tcp/sa…");
        assert_eq!(at(0), "");
    }

    proptest! {
        #[test]
        fn any_line_fits(share in -1.0..2.0_f64, state in ".{0,40}", name in ".{0,90}",
                         detail in ".{0,40}", width in 0usize..200) {
            let parts = Parts { share, state, name, detail };
            let line = fit(&parts, width);
            prop_assert!(line.chars().count() < width.max(1));
            if width >= 60 {
                prop_assert!(line.contains(&parts.state));
            }
        }
    }
}

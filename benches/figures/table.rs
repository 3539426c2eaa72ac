//! Figures beside their goals, as rows of a Markdown table.

use netplan::statistics::Summary;

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// Not further from this than the share of it.
    Within(f64, f64),
    /// Its ends count.
    Between(f64, f64),
    /// Shown for what it says about the others.
    None,
}

/// A unit, and how many decimals a figure in it has.
#[derive(Clone, Copy)]
pub struct Unit(pub &'static str, pub usize);

impl Unit {
    fn show(self, value: f64) -> String {
        let space = if self.0.is_empty() { "" } else { " " };
        format!("{value:.*}{space}{}", self.1, self.0)
    }
}

/// Prints the table's head.
pub fn begin() {
    let dashes = |width: usize| "-".repeat(width);
    row(
        "figure",
        "median (min to max)",
        "goal",
        "how it was measured",
    );
    row(&dashes(44), &dashes(34), &dashes(26), &dashes(19));
}

/// Prints a figure with its median.
pub fn figure(
    what: &str,
    values: impl IntoIterator<Item = f64>,
    unit: Unit,
    goal: Goal,
    how: &str,
) -> anyhow::Result<()> {
    let summary = Summary::from_values(values)
        .ok_or_else(|| anyhow::anyhow!("nothing was measured for `{what}`"))?;
    let mut measured = unit.show(summary.median);
    if summary.count > 1 {
        let Unit(_, decimals) = unit;
        let Summary { min, max, .. } = summary;
        measured = format!("{measured} ({min:.decimals$} to {max:.decimals$})");
    }
    let (reached, words) = match goal {
        Goal::AtMost(most) => (summary.median <= most, format!("≤ {}", unit.show(most))),
        Goal::AtLeast(least) => (summary.median >= least, format!("≥ {}", unit.show(least))),
        Goal::Within(target, share) => (
            (summary.median - target).abs() <= share * target,
            format!("{} ± {} %", unit.show(target), share * 100.0),
        ),
        Goal::Between(least, most) => (
            (least..=most).contains(&summary.median),
            format!("{least} to {}", unit.show(most)),
        ),
        Goal::None => (true, String::new()),
    };
    if !reached {
        measured += " **missed**";
    }
    row(what, &measured, &words, how);
    Ok(())
}

fn row(what: &str, measured: &str, goal: &str, how: &str) {
    println!("| {what:44} | {measured:34} | {goal:26} | {how} |");
}

//! The lines as a table for people, and as JSON.

use super::claim::{Allowed, Line, Verdict, counts};
use crate::report::terminal::wrap as text;

/// The columns of the table: verdict, what, theory, found, unit, off, allowed.
const COLUMNS: usize = 7;
/// What stands below a line is indented by this.
const INDENT: &str = "           ";
/// Texts below a line take no more columns.
const WIDEST_TEXT: usize = 100;

/// The lines for people in at most `width` columns, if that is possible, and how many of them passed,
/// with a newline at the end.
#[must_use]
pub fn table(lines: &[Line], width: usize) -> String {
    let titles = ["", "", "theory", "found", "", "off", "allowed"].map(str::to_owned);
    let rows: Vec<[String; COLUMNS]> = std::iter::once(titles)
        .chain(lines.iter().map(row))
        .collect();
    let widths: [usize; COLUMNS] = std::array::from_fn(|i| {
        let cells = rows.iter().map(|row| row[i].chars().count());
        cells.max().unwrap_or(0)
    });
    let total = widths.iter().sum::<usize>() + 2 * (COLUMNS - 1);
    let is_folded = total > width;
    let mut text = String::new();
    let mut put = |line: &str| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    if !is_folded {
        put(&aligned(&rows[0], &widths));
    }
    for (at, (row, line)) in rows[1..].iter().zip(lines).enumerate() {
        if is_folded {
            put(&format!("{:<9}  {}", row[0], row[1]));
            for part in text::wrap(&figures(row), width - INDENT.len(), "") {
                put(&format!("{INDENT}{part}"));
            }
        } else {
            put(&aligned(row, &widths));
        }
        let why = match &line.verdict {
            // The same reason of several lines is said below the last of them.
            Verdict::Skipped(_)
                if lines.get(at + 1).map(|next| &next.verdict) == Some(&line.verdict) =>
            {
                None
            }
            Verdict::Skipped(why) | Verdict::Failed(Some(why)) => Some(why),
            Verdict::Passed | Verdict::Failed(None) => None,
        };
        let beside = width.min(WIDEST_TEXT) - INDENT.len();
        for part in why.into_iter().flat_map(|why| text::wrap(why, beside, "")) {
            put(&format!("{INDENT}{part}"));
        }
        for warning in &line.warnings {
            put(&format!("{INDENT}warning: {}", warning.title()));
        }
    }
    let [passed, failed, skipped] = counts(lines);
    text + &format!("\n{passed} passed, {failed} failed, {skipped} skipped\n")
}

fn aligned(row: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let fields = row.iter().zip(widths).enumerate();
    let fields = fields.map(|(i, (field, width))| {
        if (2..4).contains(&i) || i == 5 {
            format!("{field:>width$}")
        } else {
            format!("{field:width$}")
        }
    });
    fields.collect::<Vec<_>>().join("  ")
}

/// The figures of a row with their titles, for a terminal that is narrower than the table.
fn figures(row: &[String; COLUMNS]) -> String {
    let [_, _, theory, found, unit, off, allowed] = row;
    let found = match (found.as_str(), off.as_str()) {
        ("", _) => None,
        (found, "") => Some(format!("found {found} {unit}")),
        (found, off) => Some(format!("found {found} {unit} ({off})")),
    };
    let parts = [
        Some(format!("theory {theory} {unit}")),
        found,
        Some(format!("allowed {allowed}")),
    ];
    let parts = parts.into_iter().flatten();
    let parts = parts.map(|part| part.replace(' ', &text::TIE.to_string()));
    parts.collect::<Vec<_>>().join(", ")
}

fn row(line: &Line) -> [String; 7] {
    let verdict = match line.verdict {
        Verdict::Passed => "✓ passed",
        Verdict::Failed(_) => "✗ failed",
        Verdict::Skipped(_) => "– skipped",
    };
    let figure = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |v| format!("{v:.2}"));
    let (found, off) = match (&line.verdict, line.theory.zip(line.found)) {
        (Verdict::Skipped(_), _) => (String::new(), String::new()),
        (_, None) => (figure(line.found), String::new()),
        (_, Some((theory, found))) => {
            let off = match line.allowed {
                Allowed::Percent(_) if theory > 0.0 => {
                    format!("{:+.2} %", 100.0 * (found / theory - 1.0))
                }
                _ => String::new(),
            };
            (figure(Some(found)), off)
        }
    };
    let allowed = match line.allowed {
        Allowed::Percent(percent) => format!("±{percent} %"),
        Allowed::Interval(None) => "binomial interval".to_owned(),
        Allowed::Interval(Some((low, high))) => format!("theory in {low:.2}..{high:.2}"),
    };
    [
        verdict.to_owned(),
        line.what.clone(),
        figure(line.theory),
        found,
        line.unit.to_owned(),
        off,
        allowed,
    ]
}

/// The lines as a JSON document, with a newline at its end.
///
/// # Errors
/// Never: there are no maps with other keys than strings.
pub fn json(lines: &[Line]) -> serde_json::Result<String> {
    let [passed, failed, skipped] = counts(lines);
    let document = serde_json::json!({
        "version": 1,
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "lines": lines,
    });
    Ok(crate::diag::json::to_string_pretty(&document)? + "\n")
}

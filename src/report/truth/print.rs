//! The lines as a table for people, and as JSON.

use super::line::{Allowed, Line, Verdict, counts};
use crate::report::text;

/// The lines for people, and how many of them passed, with a newline at the end.
#[must_use]
pub fn table(lines: &[Line]) -> String {
    let titles = ["", "", "theory", "found", "", "off", "allowed"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(titles)
        .chain(lines.iter().map(row))
        .collect();
    let widths: Vec<usize> = (0..7)
        .map(|i| {
            rows.iter()
                .map(|row| row[i].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    let mut put = |line: &str| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    for (at, row) in rows.iter().enumerate() {
        let fields = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(i, (field, width))| {
                if (2..4).contains(&i) || i == 5 {
                    format!("{field:>width$}")
                } else {
                    format!("{field:width$}")
                }
            });
        put(&fields.collect::<Vec<_>>().join("  "));
        let Some(line) = at.checked_sub(1).and_then(|at| lines.get(at)) else {
            continue;
        };
        match &line.verdict {
            Verdict::Skipped(why) | Verdict::Failed(Some(why)) => {
                for part in text::wrap(why, 90, "") {
                    put(&format!("           {part}"));
                }
            }
            Verdict::Passed | Verdict::Failed(None) => {}
        }
        for doubt in &line.doubts {
            put(&format!("           doubt: {}", doubt.title()));
        }
    }
    let [passed, failed, skipped] = counts(lines);
    text + &format!(
        "
{passed} passed, {failed} failed, {skipped} skipped
"
    )
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

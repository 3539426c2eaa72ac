//! A selection that selects nothing says what would.

use crate::diag::did_you_mean;

/// `did you mean …`, when something is near, and what there is.
pub(super) fn suggest(text: &str, there: &[&str], lead: &str) -> String {
    const MOST: usize = 16;
    let nearest = Some(text)
        .filter(|text| !text.bytes().all(|c| c.is_ascii_digit() || c == b'.'))
        .and_then(|text| did_you_mean(text, there.iter().copied()))
        .map(|name| format!("did you mean `{name}`? "))
        .unwrap_or_default();
    let mut list: Vec<String> = there
        .iter()
        .take(MOST)
        .map(|name| format!("`{name}`"))
        .collect();
    if there.len() > MOST {
        list.push(format!(
            "{} more up to `{}`",
            there.len() - MOST,
            there[there.len() - 1]
        ));
    }
    format!("{nearest}{lead} {}", list.join(", "))
}

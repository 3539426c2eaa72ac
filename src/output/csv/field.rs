//! Text in CSV: without what a terminal, a CI server or a spreadsheet would obey.

use std::borrow::Cow;

use crate::diag::printable;

/// What starts a formula in a spreadsheet, and its full-width forms.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A field that is text: unsafe characters are escaped, and one that a spreadsheet would take for a
/// formula gets an apostrophe before it, as OWASP's page on CSV injection advises. Numbers stay
/// numbers.
#[must_use]
pub fn field(text: &str) -> Cow<'_, str> {
    let text = printable::lines(text);
    let starts_formula = text.starts_with('\t') || text.trim_start().starts_with(FORMULA);
    if starts_formula && !is_number(&text) {
        Cow::Owned(format!("'{text}"))
    } else {
        text
    }
}

fn is_number(text: &str) -> bool {
    text.parse().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::printable::{is_safe, tests::hostile};

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for (text, written) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1+1", "'+1+1"),
            ("-inf", "'-inf"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("\r=1", "\\r=1"),
            ("-1.5", "-1.5"),
            ("+3e5", "+3e5"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(field(text), written);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_formula(text in hostile()) {
            let field = field(&text);
            prop_assert!(is_safe(&field), "{:?}", field);
            let first = field.trim_start().chars().next();
            let is_formula = first.is_some_and(|first| FORMULA.contains(&first));
            prop_assert!(!is_formula || is_number(&field), "{:?}", field);
        }
    }
}

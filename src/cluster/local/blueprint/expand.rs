//! `$(NAME)` in commands and environment values, as the kubelet expands it.

use std::borrow::Cow;

/// Replaces each `$(NAME)` by what `lookup` gives; one that it does not know stays as it is, and
/// `$$` is a dollar sign.
pub fn expand<'a>(text: &str, lookup: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|s| s.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&rest[at..rest.len() - tail.len()]),
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with_a(text: &str) -> String {
        expand(text, |name| (name == "A").then_some(Cow::Borrowed("1")))
    }

    #[test]
    fn known_names_are_replaced_and_the_rest_stays() {
        assert_eq!(with_a("x$(A)y$(B)$"), "x1y$(B)$");
        assert_eq!(with_a("$$(A) $$ $(A"), "$(A) $ $(A");
        assert_eq!(with_a("$A"), "$A");
    }

    proptest! {
        #[test]
        fn text_without_a_dollar_is_itself(text in "[^$]*") {
            prop_assert_eq!(with_a(&text), text);
        }

        #[test]
        fn doubled_dollars_come_back_single(text in ".*") {
            prop_assert_eq!(with_a(&text.replace('$', "$$")), text);
        }
    }
}

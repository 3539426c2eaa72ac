//! `${NAME}` in the values of a plan: replaced by what the environment says, never in keys.

use std::collections::HashSet;

use super::scalar;
use super::source_env::SourceEnv;
use super::tree::{Kind, NodeId, Tree};
use crate::diag::{Place, Problem, Problems, quote};

/// Replaces the variables in the values at and below a node, and gives the places of the values in
/// which that could not be done.
pub fn fill(
    tree: &mut Tree,
    problems: &mut Problems,
    around: &dyn SourceEnv,
    root: NodeId,
) -> HashSet<Place> {
    let mut unread = HashSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = tree.get(id);
        match &node.kind {
            Kind::List(items) => open.extend(items),
            Kind::Map(map) => open.extend(map.entries.iter().map(|entry| entry.value)),
            Kind::Scalar(scalar) if !scalar.filled && scalar.text.contains("${") => {
                match replaced(&scalar.text, around) {
                    Ok(text) => {
                        tree.replace(id, Kind::Scalar(scalar::filled(text)));
                    }
                    Err(problem) => {
                        unread.insert(node.place);
                        problems.push(problem.at(node.place));
                    }
                }
            }
            Kind::Scalar(_) => {}
        }
    }
    unread
}

/// A text with its variables replaced, and `$${` for `${`.
fn replaced(text: &str, around: &dyn SourceEnv) -> Result<String, Problem> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        let inner = after.get(2..).unwrap_or_default();
        if let Some(literal) = before.strip_suffix('$') {
            filled.extend([literal, "${"]);
            rest = inner;
            continue;
        }
        filled.push_str(before);
        let Some((inside, behind)) = inner.split_once('}') else {
            return Err(Problem::without_place(format!(
                "the `${{` in {} is never closed",
                quote(text)
            ))
            .help("a variable is `${NAME}`; for the two signs themselves write `$${`".to_owned()));
        };
        filled.push_str(&value(inside, around)?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What replaces `${inside}`.
fn value(inside: &str, around: &dyn SourceEnv) -> Result<String, Problem> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || !name.chars().all(letter)
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(Problem::without_place(format!(
            "{} is not a variable",
            quote(&format!("${{{inside}}}"))
        ))
        .help(
            "write `${NAME}` or `${NAME:-default}`; for the two signs themselves write `$${`"
                .to_owned(),
        ));
    }
    let set = around.variable(name);
    match (set, default) {
        // As in a shell: what is empty counts as unset there.
        (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Problem::without_place(format!(
            "the environment variable {} is not set",
            quote(name)
        ))
        .help(format!(
            "set it, e.g. `{name}=… netplan …`, or give a default: `${{{name}:-default}}`"
        ))),
    }
}

/// A text that [`fill`] makes this one of.
pub fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::plan::text::source_env::{Alone, Unreadable};

    struct One;

    impl SourceEnv for One {
        fn read(&self, _: &Path) -> Result<String, Unreadable> {
            Err(Unreadable::Missing)
        }

        fn files(&self, _: &Path) -> Vec<String> {
            Vec::new()
        }

        fn variable(&self, name: &str) -> Option<String> {
            match name {
                "A" => Some("a".to_owned()),
                "EMPTY" => Some(String::new()),
                "REF" => Some("${A}".to_owned()),
                _ => None,
            }
        }
    }

    #[test]
    fn variables_are_replaced_once() {
        let good = |text| replaced(text, &One).unwrap();
        assert_eq!(good("x-${A}-${B:-b c}-y"), "x-a-b c-y");
        assert_eq!(good("[${EMPTY}|${EMPTY:-e}|${A:-no}]"), "[|e|a]");
        assert_eq!(
            good("$${A} $$${A} $A {{ A }} 5$"),
            "${A} $${A} $A {{ A }} 5$"
        );
        assert_eq!(good("${REF}"), "${A}");
        for bad in [
            "${", "${}", "${A", "${1}", "${A:?}", "${A-b}", "${ä}", "${B}",
        ] {
            assert!(replaced(bad, &One).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_its_escape(text in "[${}A:a -]{0,20}|\\PC*") {
            prop_assert_eq!(replaced(&escaped(&text), &Alone), Ok(text));
        }
    }
}

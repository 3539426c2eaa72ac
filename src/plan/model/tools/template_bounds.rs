//! Whether a template is too large or too deep to be parsed.
//!
//! The engine's parser, its compiler and the freeing of what they make recurse, mostly without a
//! bound, and a stack that overflows ends the process. How deep they go is at most the number of
//! tokens of a tag (`{{ … }}` or `{% … %}`), which is counted here without recursion. Where a tag ends
//! is found as the engine finds it: not within a text, parentheses, brackets or braces.

/// No template is longer. The engine counts lines and columns with 16 bits.
pub const LONGEST_TEMPLATE_BYTES: usize = 60 << 10;
/// No tag needs more tokens.
const MOST_TOKENS: usize = 250;
/// Each `elif` of a condition is nested in the one before it.
const MOST_ELIFS: usize = 100;

/// Why a template is not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    #[error("it is longer than {} KiB", LONGEST_TEMPLATE_BYTES >> 10)]
    Long,
    #[error(
        "an expression or statement in it has more than {MOST_TOKENS} names, numbers and signs; split \
         it up"
    )]
    Tokens,
    #[error("it has more than {MOST_ELIFS} `elif`")]
    Elifs,
}

/// Checks a template before it is parsed.
///
/// # Errors
/// When it is too large or too deep.
pub fn check(template: &str) -> Result<(), TooMuch> {
    if template.len() > LONGEST_TEMPLATE_BYTES {
        return Err(TooMuch::Long);
    }
    let mut elifs = 0;
    let mut rest = template;
    while let Some((opening, after)) = next_opening(rest) {
        rest = match opening {
            Opening::Comment => after_first(after, "#}"),
            Opening::Tag if named_tag(after, "raw").is_some() => {
                after_raw(named_tag(after, "raw").unwrap_or(after))
            }
            Opening::Tag => {
                let name = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
                elifs += usize::from(name.starts_with("elif"));
                if elifs > MOST_ELIFS {
                    return Err(TooMuch::Elifs);
                }
                after_tag(after, "%}")?
            }
            Opening::Expression => after_tag(after, "}}")?,
        };
    }
    Ok(())
}

/// What a template opens beside plain text.
#[derive(Clone, Copy)]
enum Opening {
    Expression,
    Tag,
    Comment,
}

/// The next opening, and what follows it and its `-` or `+`.
fn next_opening(text: &str) -> Option<(Opening, &str)> {
    for (at, _) in text.match_indices('{') {
        let rest = &text[at + 1..];
        let opening = match rest.as_bytes().first() {
            Some(b'{') => Opening::Expression,
            Some(b'%') => Opening::Tag,
            Some(b'#') => Opening::Comment,
            _ => continue,
        };
        let rest = &rest[1..];
        return Some((opening, rest.strip_prefix(['-', '+']).unwrap_or(rest)));
    }
    None
}

/// What follows the first `end`; nothing where there is none, which the engine refuses.
fn after_first<'t>(text: &'t str, end: &str) -> &'t str {
    text.split_once(end).map_or("", |(_, after)| after)
}

/// What follows a tag that has a name and nothing else, if the text starts with one.
fn named_tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let blank = |c: char| c.is_ascii_whitespace();
    let rest = text.trim_start_matches(blank).strip_prefix(name)?;
    let rest = rest.trim_start_matches(blank);
    rest.strip_prefix(['-', '+'])
        .unwrap_or(rest)
        .strip_prefix("%}")
}

/// What follows `{% endraw %}`.
fn after_raw(text: &str) -> &str {
    let endings = text.match_indices("{%").filter_map(|(at, _)| {
        let tag = &text[at + 2..];
        named_tag(tag.strip_prefix(['-', '+']).unwrap_or(tag), "endraw")
    });
    endings.into_iter().next().unwrap_or("")
}

/// What follows a tag, whose tokens are counted.
fn after_tag<'t>(tag: &'t str, end: &str) -> Result<&'t str, TooMuch> {
    let mut rest = tag;
    let mut tokens = 0;
    let mut open = 0_i64;
    while let Some(c) = rest.chars().next() {
        if open == 0 {
            let closing = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if let Some(after) = rest.strip_prefix(end).or_else(|| closing.strip_prefix(end)) {
                return Ok(after);
            }
        }
        let length = match c {
            '"' | '\'' => text_length(rest, c),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open -= 1,
            _ => {}
        }
        tokens += usize::from(!c.is_whitespace());
        if tokens > MOST_TOKENS {
            return Err(TooMuch::Tokens);
        }
        rest = rest.get(length..).unwrap_or("");
    }
    Ok("")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes of a text in quotes, which ends at the first such quote without a backslash before it.
fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;
    use proptest::prelude::*;

    use super::*;

    /// Parses in the stack of a thread, which is smaller than that of a process.
    fn parses(template: &str) -> bool {
        let engine = Environment::new();
        engine.template_from_str(template).is_ok()
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused_and_what_is_just_below_is_parsed() {
        let tag = |inside: &str| format!("{{{{ {inside} }}}}");
        let chain = |link: &str, links: usize| tag(&format!("x{}", link.repeat(links)));
        for many in [
            tag(&format!("{}1", "-".repeat(19_500))),
            tag(&format!("{}1", "not ".repeat(12_000))),
            chain("+1", 20_000),
            chain("|int", 12_000),
            chain(".y", 20_000),
            chain("[0]", 20_000),
            chain(" if x else x", 4_000),
            chain(" ~ x", 12_000),
            chain("**x", 12_000),
            chain(" is odd", 7_000),
            tag(&format!("{}x", "x is not ".repeat(6_000))),
            format!("{{% if {} %}}{{% endif %}}", "-".repeat(30_000)),
            // Where a tag ends is not where its text or a mapping holds what ends one.
            tag(&format!("'}}}}' ~ {}1", "-".repeat(30_000))),
            tag(&format!("\"\\\"}}}}\" ~ {}1", "-".repeat(30_000))),
            tag(&format!("{{'a': {{}}}}}} ~ {}1", "-".repeat(30_000))),
            format!(
                "{{% raw %}}{{{{ \"{{% endraw %}}{}{{% raw %}}\" }}}}{{%- endraw %}}",
                tag(&"-".repeat(30_000))
            ),
            format!("{{# {{{{ ' #}}{}", tag(&"-".repeat(30_000))),
        ] {
            assert_eq!(check(&many), Err(TooMuch::Tokens), "{}", &many[..60]);
        }
        for few in [
            tag(&format!("{}1", "-".repeat(240))),
            tag(&format!("{}x", "not ".repeat(240))),
            chain("+1", 120),
            chain("|int", 120),
            chain("[0]", 80),
            chain(" if x else x", 60),
            "plain ".repeat(10_000),
            tag("x").repeat(7_000),
        ] {
            assert_eq!(check(&few), Ok(()), "{}", &few[..60]);
            assert!(parses(&few), "{}", &few[..60]);
        }
        let elifs = |n| format!("{{% if x %}}{}{{% endif %}}", "{% elif x %}".repeat(n));
        assert_eq!(check(&elifs(4_000)), Err(TooMuch::Elifs));
        assert!(check(&elifs(100)).is_ok() && parses(&elifs(100)));
        assert_eq!(
            check(&"x".repeat(LONGEST_TEMPLATE_BYTES + 1)),
            Err(TooMuch::Long)
        );
    }

    proptest! {
        /// Whatever passes can be parsed and freed. A stack that overflows would end the test.
        #[test]
        fn any_template_is_refused_or_parsed(
            parts in prop::collection::vec(
                ("[{%#}\"'\\\\ a(\\[|.+-]{0,6}|\\{% raw %\\}|\\{%- endraw \\+%\\}|\\{\\{|\\}\\}|not |if |else ", 1..4000usize),
                0..8,
            ),
        ) {
            let template: String = parts.iter().map(|(part, times)| part.repeat(*times)).collect();
            if check(&template).is_ok() {
                parses(&template);
            }
        }
    }
}

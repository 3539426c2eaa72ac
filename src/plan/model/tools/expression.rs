//! Arguments of declared tools: literal, or with minijinja expressions in `{{ … }}`.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::declared::Argument;
use super::template_bounds;

/// No argument needs more steps.
const FUEL: u64 = 10_000;
/// A longer argument is refused; Linux takes up to 128 KiB (`MAX_ARG_STRLEN`).
const LONGEST: usize = 100_000;

/// What expressions may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables<'a> {
    /// The address that the client dials; the server has none.
    pub target: Option<&'a str>,
    pub duration_s: u64,
    pub warmup_s: u64,
    pub slot: u16,
    /// Ports by name, in the tool's order.
    pub ports: Vec<(&'a str, u16)>,
    /// Parameters that are set.
    pub params: Vec<(&'a str, u64)>,
}

/// Why an argument has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// A parameter in it is not set.
    #[error("a value in `{0}` is not set")]
    NotSet(String),
    /// The engine's words.
    #[error("{0}")]
    Wrong(String),
}

/// The command line that arguments make.
///
/// # Errors
/// For an argument that cannot be evaluated; for a value that is not set, unless the argument is one
/// of some that belong together: those are left out.
pub fn command_line(
    arguments: &[Argument],
    variables: &Variables<'_>,
) -> Result<Vec<String>, ExpressionError> {
    let engine = engine();
    let context = variables.context();
    let one = |text: &String| evaluate(&engine, text, &context);
    let mut line = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument {
            Argument::One(text) => line.push(one(text)?),
            Argument::Together(texts) => {
                match texts.iter().map(one).collect::<Result<Vec<_>, _>>() {
                    Ok(texts) => line.extend(texts),
                    Err(ExpressionError::NotSet(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(line)
}

/// Whether a text has an expression in it.
#[must_use]
pub fn is_expression(text: &str) -> bool {
    text.contains("{{")
}

/// Checks a text with expressions before it is parsed.
fn check(text: &str) -> Result<(), ExpressionError> {
    let wrong = |what: String| Err(ExpressionError::Wrong(what));
    if text.contains("{%") || text.contains("{#") {
        let what = "an argument can have `{{ … }}`, but neither `{%` nor `{#` beside it";
        return wrong(what.to_owned());
    }
    template_bounds::check(text).or_else(|too_much| wrong(too_much.to_string()))
}

/// The names in a text's expressions, those of ports as `ports.NAME`; sorted.
///
/// # Errors
/// When it does not parse, or has a statement or comment of the template language.
pub fn names(text: &str) -> Result<Vec<String>, ExpressionError> {
    if !is_expression(text) {
        return Ok(Vec::new());
    }
    check(text)?;
    let engine = engine();
    let template = engine.template_from_str(text).map_err(|e| wrong(&e))?;
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort();
    Ok(names)
}

impl Variables<'_> {
    fn context(&self) -> Value {
        let mut context: BTreeMap<&str, Value> = BTreeMap::new();
        for (name, value) in &self.params {
            context.insert(name, Value::from(*value));
        }
        if let Some(target) = self.target {
            context.insert("target", Value::from(target));
            // RFC 3986, section 3.2.2.
            let is_ipv6 = target.parse::<Ipv6Addr>().is_ok();
            let in_url = is_ipv6.then(|| format!("[{target}]"));
            let in_url = in_url.unwrap_or_else(|| target.to_owned());
            context.insert("target_in_url", Value::from(in_url));
        }
        context.insert("duration_s", Value::from(self.duration_s));
        context.insert("warmup_s", Value::from(self.warmup_s));
        context.insert("slot", Value::from(self.slot));
        if let Some((_, first)) = self.ports.first() {
            context.insert("port", Value::from(*first));
        }
        let ports: BTreeMap<&str, u16> = self.ports.iter().copied().collect();
        context.insert("ports", Value::from(ports));
        Value::from(context)
    }
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine
}

fn evaluate(
    engine: &Environment<'_>,
    text: &str,
    context: &Value,
) -> Result<String, ExpressionError> {
    if !is_expression(text) {
        return Ok(text.to_owned());
    }
    check(text)?;
    let argument = engine
        .render_str(text, context)
        .map_err(|error| match error.kind() {
            ErrorKind::UndefinedError => ExpressionError::NotSet(text.to_owned()),
            _ => wrong(&error),
        })?;
    if argument.len() > LONGEST || argument.contains('\0') {
        let what = "it makes an argument that no program can be given";
        return Err(ExpressionError::Wrong(what.to_owned()));
    }
    Ok(argument)
}

fn wrong(error: &minijinja::Error) -> ExpressionError {
    let kind = error.kind().to_string();
    ExpressionError::Wrong(match error.detail() {
        Some(detail) => format!("{kind}: {detail}"),
        None => kind,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables<'a>() -> Variables<'a> {
        Variables {
            target: Some("10.0.0.1"),
            duration_s: 10,
            warmup_s: 1,
            slot: 2,
            ports: vec![("control", 11111), ("data", 11114)],
            params: vec![("size", 64)],
        }
    }

    fn line(arguments: &[Argument]) -> Result<Vec<String>, ExpressionError> {
        command_line(arguments, &variables())
    }

    fn one(text: &str) -> Argument {
        Argument::One(text.to_owned())
    }

    #[test]
    fn expressions_are_evaluated_and_the_rest_is_literal() {
        let texts = [
            "{{ target }}:{{ port }}",
            "{{ ports.data }}",
            "{{ size * 2 }}",
            "{% x %}",
            "$HOME; rm",
            "{{ mss | default(1460) }}",
        ];
        let expected = [
            "10.0.0.1:11111",
            "11114",
            "128",
            "{% x %}",
            "$HOME; rm",
            "1460",
        ];
        assert_eq!(line(&texts.map(one)).unwrap(), expected);
    }

    #[test]
    fn an_ipv6_address_has_brackets_in_a_url() {
        let line = |target| {
            let variables = Variables {
                target: Some(target),
                ..variables()
            };
            command_line(&[one("http://{{ target_in_url }}:{{ port }}/")], &variables).unwrap()
        };
        assert_eq!(line("10.0.0.1"), ["http://10.0.0.1:11111/"]);
        assert_eq!(line("fd00::1"), ["http://[fd00::1]:11111/"]);
    }

    #[test]
    fn arguments_that_belong_together_are_left_out_together() {
        let together = |text: &str| Argument::Together(vec!["-m".to_owned(), text.to_owned()]);
        let both = [together("{{ mss }}"), one("x"), together("{{ size }}")];
        assert_eq!(line(&both).unwrap(), ["x", "-m", "64"]);
        assert!(matches!(
            line(&[one("{{ mss }}")]),
            Err(ExpressionError::NotSet(_))
        ));
        assert!(line(&[together("{{ size.x.y }}"), one("{{ 1 / 0 }}")]).is_err());
    }

    #[test]
    fn names_are_found() {
        let found = names("{{ ports.data }} {{ mss or size }}").unwrap();
        assert_eq!(found, ["mss", "ports.data", "size"]);
        assert!(names("{{ a }}{% for x in y %}").is_err());
        assert!(names("{{ a").is_err());
        assert_eq!(names("plain }}").unwrap(), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_text_has_a_value_or_none(text: String, inner in "[a-z0-9 .+*|'()\\[\\]~-]{0,30}") {
            for text in [text, format!("{{{{ {inner} }}}}")] {
                let _ = names(&text);
                let _ = line(&[one(&text), Argument::Together(vec![text.clone()])]);
            }
        }
    }
}

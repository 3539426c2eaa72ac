//! The template engine as templates see it: strict, JSON-escaping, bounded.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

use super::templates::{RenderError, Templates};
use super::yaml::{as_yaml, block};
use crate::diag::{Source, picture, printable};
use crate::plan::template_bounds;

/// Enough for a thousand workers with hundreds of ports, and an end to a template's endless loop.
const FUEL: u64 = 10_000_000;

/// An engine without templates.
pub(super) fn environment<'a>() -> Environment<'a> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    // Only with this an error knows its place.
    engine.set_debug(true);
    engine.add_filter("block", block_filter);
    // As JSON, which YAML reads alike, but for some line breaks that only YAML knows.
    engine.set_formatter(|out, state, value| {
        let holds_text = matches!(
            value.kind(),
            ValueKind::String | ValueKind::Seq | ValueKind::Map
        );
        if holds_text && !value.is_safe() {
            let json = serde_json::to_string(value).unwrap_or_default();
            if !printable::is_safe(&json) {
                return out.write_str(&as_yaml(&json)).map_err(Error::from);
            }
        }
        escape_formatter(out, state, value)
    });
    engine
}

/// An engine with all templates.
///
/// # Errors
/// A template with a syntax error, with line and cause.
pub(super) fn engine(templates: &Templates) -> Result<Environment<'_>, RenderError> {
    let mut engine = environment();
    for name in Templates::names() {
        let bounds = template_bounds::check(templates.text(name));
        bounds.map_err(|too_much| RenderError::Template {
            template: name.to_owned(),
            message: too_much.to_string(),
            place: String::new(),
        })?;
        engine
            .add_template(name, templates.text(name))
            .map_err(|error| failed(templates, name, &error))?;
    }
    Ok(engine)
}

/// The error of a template with its place.
pub(super) fn failed(templates: &Templates, template: &str, error: &Error) -> RenderError {
    let (message, place) = message_and_place(template, templates.text(template), error);
    RenderError::Template {
        template: template.to_owned(),
        message,
        place,
    }
}

/// What is wrong with a template, and a picture of its place with a line break before it, if it is known. The engine's
/// own picture would name all values that the template refers to, private keys among them.
pub(super) fn message_and_place(name: &str, text: &str, error: &Error) -> (String, String) {
    let kind = error.kind().to_string();
    let message = match error.detail() {
        Some(detail) => format!("{kind}: {detail}"),
        None => kind,
    };
    let place = error.range().map_or_else(String::new, |range| {
        let source = Source::new(name, text);
        format!("\n{}", picture(&source, range.into()))
    });
    (message, place)
}

/// The filter `block`: a text as a YAML block scalar, each line indented by `indent`.
///
/// # Errors
/// A text that a block scalar cannot hold.
fn block_filter(text: &str, indent: usize) -> Result<Value, Error> {
    let scalar = block(text, indent).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            "a block scalar cannot hold this text; remove the `block` filter",
        )
    })?;
    Ok(Value::from_safe_string(scalar))
}

//! The page's template, style and program put together.

use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, context, escape_formatter};

use super::error::HtmlError;
use super::page::Page;
use super::policy::policy;
use crate::output::markup::escape_lines;
use crate::report::document::Document;

const TEMPLATE: &str = include_str!("../../../templates/page/page.html");
const STYLE: &str = concat!(
    include_str!("../../../templates/page/page.css"),
    include_str!("../../../templates/page/chart.css")
);
const SCRIPT: &str = include_str!("../../../templates/page/page.js");

/// Draws a document as a page of its own. It loads nothing, and runs no program but its own.
///
/// # Errors
/// When the template does not render.
pub fn render(document: &Document) -> Result<String, HtmlError> {
    let page = Page::new(document)?;
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| AutoEscape::Html);
    engine.add_filter("safe", minijinja::filters::safe);
    engine.add_filter("length", minijinja::filters::length);
    // All text passes here, unless the template says `safe`.
    engine.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if value.kind() == ValueKind::String && !value.is_safe() => {
            out.write_str(&escape_lines(text)).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    });
    let template = engine.template_from_str(TEMPLATE)?;
    let (style, script) = (without_indentation(STYLE), without_indentation(SCRIPT));
    Ok(template.render(context! {
        page => Value::from(Serde(&page)),
        policy => policy(&style, &script),
        style,
        script,
    })?)
}

/// The style or the program as a page carries it. Neither has a text of several lines.
fn without_indentation(text: &str) -> String {
    text.lines()
        .map(str::trim_start)
        .collect::<Vec<_>>()
        .join("\n")
}

//! Renders problems, each under its source line.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::printable;
use super::problem::Problem;
use super::source::{Place, Source, Span};

/// How many problems are shown with their source line.
const SHOWN: usize = 30;
/// Longer lines are not shown, only named by line and column.
const LONGEST_LINE: usize = 4096;
/// Two places further apart than this (in bytes) are shown as two excerpts.
const LONGEST_EXCERPT: usize = 16 * 1024;

/// A place under its source line, for a message that says by itself what is wrong there. Without
/// colours; ends without a line break.
#[must_use]
pub fn picture(source: &Source, span: Span) -> String {
    let group = Group::with_level(Level::ERROR);
    let group = Fitted::new(source, span).show(group, AnnotationKind::Primary, "");
    printable::lines(&Renderer::plain().render(&[group])).into_owned()
}

/// Every problem under its source line, with ANSI colours or without. Ends without a line break.
///
/// `total` counts the problems, also those that were not kept.
pub(super) fn render(
    sources: &[Arc<Source>],
    kept: &[Problem],
    total: usize,
    colour: bool,
) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut parts: Vec<String> = kept
        .iter()
        .take(SHOWN)
        .map(|problem| {
            let shown = with_arrows(&renderer.render(&[group(sources, problem)]));
            // The renderer replaces most control characters of a source line, but not all.
            if colour {
                printable::styled(&shown).into_owned()
            } else {
                printable::lines(&shown).into_owned()
            }
        })
        .collect();
    if total > SHOWN {
        let rest = total - SHOWN;
        let noun = if rest == 1 { "problem" } else { "problems" };
        parts.push(format!("and {rest} more {noun}"));
    }
    parts.join("\n\n")
}

fn group<'a>(sources: &'a [Arc<Source>], problem: &'a Problem) -> Group<'a> {
    let mut group = Group::with_title(Level::ERROR.primary_title(&*problem.what));
    if let Some(place) = problem.place {
        let first = fit(sources, place);
        group = match &problem.related {
            Some((place, label)) => {
                both(group, &first, &problem.label, &fit(sources, *place), label)
            }
            None => first.show(group, AnnotationKind::Primary, &problem.label),
        };
    }
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    }
}

/// Two places with their labels, in one excerpt if they are near each other.
fn both<'a>(
    group: Group<'a>,
    first: &Fitted<'a>,
    label: &'a str,
    second: &Fitted<'a>,
    second_label: &'a str,
) -> Group<'a> {
    let together = first.source == second.source
        && first.line_start.abs_diff(second.line_start) < LONGEST_EXCERPT
        && !first.is_long()
        && !second.is_long();
    if !together {
        let group = first.show(group, AnnotationKind::Primary, label);
        return second.show(group, AnnotationKind::Context, second_label);
    }
    let start = first.line_start.min(second.line_start);
    let end = first.line_end.max(second.line_end);
    let primary = AnnotationKind::Primary
        .span(first.within(start))
        .label(label);
    let context = AnnotationKind::Context
        .span(second.within(start))
        .label(second_label);
    let snippet = excerpt(first.source, start, end);
    group.element(snippet.annotation(primary).annotation(context))
}

fn fit(sources: &[Arc<Source>], place: Place) -> Fitted<'_> {
    let source = sources.get(place.source).map_or(&NOWHERE, |source| source);
    Fitted::new(source, place.span)
}

/// With `-->` before each place: the renderer has `:::` before a second one, which a CI server may take
/// for the start of a command.
fn with_arrows(shown: &str) -> String {
    let lines = shown.split('\n').map(|line| {
        let plain = anstream::adapter::strip_str(line).to_string();
        if plain.trim_start().starts_with("::: ") {
            line.replacen(":::", "-->", 1)
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The start of the character that a byte belongs to.
fn char_start(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}

static NOWHERE: Source = Source {
    name: String::new(),
    text: String::new(),
};

/// A place that lies in its text and on one line.
struct Fitted<'a> {
    source: &'a Source,
    span: Range<usize>,
    line_start: usize,
    line_end: usize,
}

impl<'a> Fitted<'a> {
    /// The one gate to the renderer, which panics on a span outside of its text: brings a place
    /// into the text, onto character boundaries and onto one line.
    fn new(source: &'a Source, span: Span) -> Fitted<'a> {
        let text = source.text.as_str();
        let start = char_start(text, span.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = span.end.clamp(start, line_end);
        let end = char_start(text, end);
        let end = start + text[start..end].trim_end().len();
        Fitted {
            source,
            span: start..end,
            line_start,
            line_end,
        }
    }

    fn is_long(&self) -> bool {
        self.line_end - self.line_start > LONGEST_LINE
    }

    fn within(&self, start: usize) -> Range<usize> {
        self.span.start - start..self.span.end - start
    }

    fn show(&self, group: Group<'a>, kind: AnnotationKind, label: &'a str) -> Group<'a> {
        if self.is_long() {
            let before = &self.source.text[self.line_start..self.span.start];
            let origin = Origin::path(printable::line(&self.source.name))
                .line(line_number(self.source, self.line_start))
                .char_column(before.chars().count() + 1);
            let group = group.element(origin);
            if label.is_empty() {
                group
            } else {
                group.element(Level::NOTE.message(label))
            }
        } else {
            let annotation = kind.span(self.within(self.line_start)).label(label);
            let snippet = excerpt(self.source, self.line_start, self.line_end);
            group.element(snippet.annotation(annotation))
        }
    }
}

/// Only the lines that are shown go to the renderer, whose time grows with its text.
fn excerpt(
    source: &Source,
    start: usize,
    end: usize,
) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    // A carriage return would be shown as a sign; the space in its place keeps every span right.
    let lines = source.text[start..end].replace('\r', " ");
    Snippet::source(lines)
        .path(printable::line(&source.name))
        .line_start(line_number(source, start))
}

fn line_number(source: &Source, at: usize) -> usize {
    let newlines = source.text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n');
    newlines.count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::{Problems, quote};

    fn problem(text: &str, span: Range<usize>) -> Problems {
        let mut problems = Problems::new(Source::new("plan.yaml", text));
        let place = Place {
            source: 0,
            span: span.into(),
        };
        problems.push(Problem::new(place, "wrong").label("here").help("write it"));
        problems
    }

    #[test]
    fn columns_count_characters() {
        let text = "a: 1\nlabel: Zürich → Köln, wrong\n";
        let at = text.find("wrong").unwrap();
        let shown = problem(text, at..at + 5).to_string();
        assert!(shown.contains("plan.yaml:2:23"), "{shown}");
        let caret = shown.lines().find(|line| line.contains('^')).unwrap();
        let source = shown.lines().find(|line| line.contains("Zürich")).unwrap();
        let column = |line: &str, what: &str| line[..line.find(what).unwrap()].chars().count();
        assert_eq!(column(caret, "^^^^^"), column(source, "wrong"), "{shown}");
    }

    #[test]
    fn only_the_first_line_of_a_long_span_is_underlined() {
        let shown = problem("a:\n  b: 1\n  c: 2\n", 5..16).to_string();
        assert!(shown.contains("^^^^ here"), "{shown}");
        assert!(!shown.contains("c: 2"), "{shown}");
    }

    #[test]
    fn a_long_line_is_named_not_shown() {
        let text = format!("a: {}", "x".repeat(100_000));
        let shown = problem(&text, 50_000..50_001).to_string();
        assert!(shown.contains("plan.yaml:1:50001"), "{shown}");
        assert!(shown.len() < 500);
    }

    /// Without the escape sequences that set the renderer's own colours.
    fn without_own_styles(shown: &str) -> String {
        anstream::adapter::strip_str(shown).to_string()
    }

    proptest! {
        #[test]
        fn no_text_commands_a_terminal(
            text in printable::tests::hostile(),
            name in printable::tests::hostile(),
            at in 0..40usize,
        ) {
            let mut problems = Problems::new(Source::new(&*name, &*text));
            let place = Place { source: 0, span: (at..at + 3).into() };
            let problem = Problem::new(place, &*text).label(&*text).help(&*text);
            problems.push(problem.related(Place::default(), &*name));
            let plain = problems.render(false);
            prop_assert!(printable::is_safe(&plain), "{:?}", plain);
            let coloured = problems.render(true);
            prop_assert!(printable::is_safe(&without_own_styles(&coloured)), "{:?}", coloured);
            // Colours of a text would show here.
            prop_assert!(!coloured.contains("\u{1b}[31m"), "{:?}", coloured);
        }

        #[test]
        fn any_span_of_any_text_renders(
            text in any::<String>(),
            a in any::<(usize, usize)>(),
            b in (0..80usize, 0..80usize),
            colour: bool,
        ) {
            let mut problems = problem(&text, a.0..a.1);
            let near = Place { source: 0, span: (b.0..b.1).into() };
            let other = Place { source: 7, span: (b.0..b.1).into() };
            problems.push(Problem::new(near, &*text).label(quote(&text)).related(Place::default(), quote(&text)));
            problems.push(Problem::new(other, "no such source").related(near, "first"));
            problems.push(Problem::without_place("it is not a matter of a text").help(quote(&text)));
            prop_assert!(!problems.render(colour).is_empty());
            let source = &problems.sources()[0];
            prop_assert!(!picture(source, near.span).is_empty());
        }
    }
}

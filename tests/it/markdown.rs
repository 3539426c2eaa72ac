//! Markdown as a parser reads it: the structure is the document's, whatever its text is.

use netplan::diag::printable;
use netplan::output::markdown;
use netplan::report::document::{
    Axis, Block, Cell, Chart, Column, Document, Fold, Level, Meaning, Note, Notes, Point, Series,
    Span, Table, TableKind,
};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

/// What a text could start, on one line.
fn text() -> impl Strategy<Value = String> {
    let markup = prop::sample::select(vec![
        "| a",
        "**",
        "__",
        "`",
        "```",
        "~~~",
        "[x](http://y)",
        "![i](z)",
        "<b>",
        "</details>",
        "<!--",
        "&lt;",
        "- ",
        "1. ",
        "# ",
        "> ",
        "    ",
        "\\",
        "@team",
        "#12",
        "GH-1",
        "www.x.org",
        "http://x",
        "---",
        "===",
        "$x$",
        "[^1]",
        "[ ] ",
        "|---|",
        "::error::",
        "\n",
        "\r\n",
        "\t",
        "_a_",
    ]);
    let part = prop_oneof![
        markup.prop_map(str::to_owned),
        "[ -~]{0,6}",
        any::<String>()
    ];
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

/// Each kind of block, with this text wherever text can be.
fn document(text: &str) -> Document {
    let strong = || Span::new(Meaning::Strong, text);
    let axis = || Axis {
        name: text.to_owned(),
        unit: String::new(),
    };
    let cell = Cell {
        value: strong(),
        spread: "±1".to_owned(),
        marks: vec![Span::plain(format!(" {text}"))],
        trend: vec![Some(1.0), None, Some(2.0)],
        ..Cell::default()
    };
    let table = Table {
        kind: TableKind::List,
        caption: text.to_owned(),
        columns: vec![
            Column::words(text, [text.to_owned(), text.to_owned()]),
            Column::figures("x", text, [cell, Cell::default()]),
        ],
        keys: 1,
        details: vec![vec![vec![Span::plain(text)]], Vec::new()],
    };
    let blocks = vec![
        Block::Heading {
            level: Level::Document,
            title: format!("t {text}"),
        },
        Block::Text(vec![
            vec![strong(), Span::plain(text)],
            vec![Span::plain(text)],
        ]),
        Block::Table(table),
        Block::Chart(Chart {
            x: axis(),
            y: axis(),
            decimals: 1,
            series: vec![Series {
                name: text.to_owned(),
                points: vec![Point::new(1, Some(1.0))],
                look: 0,
            }],
            ..Chart::default()
        }),
        Block::Notes(Notes {
            title: text.to_owned(),
            notes: vec![Note {
                mark: Span::plain(text),
                text: vec![Span::plain(text)],
                details: vec![vec![Span::plain(text)]],
                advice: Some(Span::plain(text)),
                ..Note::default()
            }],
        }),
    ];
    let fold = Fold {
        title: text.to_owned(),
        blocks: blocks.clone(),
    };
    Document {
        blocks: blocks.into_iter().chain([Block::Fold(fold)]).collect(),
    }
}

/// The blocks that a parser finds, without emphasis and text.
fn structure(markdown: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH;
    let tag = |event| match event {
        Event::Start(Tag::Strong | Tag::Paragraph)
        | Event::End(_)
        | Event::Text(_)
        | Event::SoftBreak => None,
        Event::Start(Tag::CodeBlock(_)) => Some("code".to_owned()),
        Event::Start(tag) => Some(format!("{tag:?}")),
        // Only `<details>` and `<summary>` are HTML, and a reference is text.
        Event::Html(html) | Event::InlineHtml(html) => {
            Some(html.split(['>', '\n']).next()?.to_owned())
        }
        other => Some(format!("{other:?}")),
    };
    Parser::new_ext(markdown, options).filter_map(tag).collect()
}

/// What cells of tables say.
fn cells(markdown: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut is_inside = false;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableCell) => {
                cells.push(String::new());
                is_inside = true;
            }
            Event::End(pulldown_cmark::TagEnd::TableCell) => is_inside = false,
            Event::Text(text) if is_inside => cells.last_mut().unwrap().push_str(&text),
            _ => {}
        }
    }
    cells
}

/// The text as people see it.
fn shown(text: &str) -> String {
    let text = printable::line(text).replace(['\u{200b}', '\u{a0}'], " ");
    text.split_whitespace().collect()
}

proptest! {
    #[test]
    fn no_text_changes_the_structure(text in text()) {
        let markdown = markdown::render(&document(&text));
        let plain = markdown::render(&document("x"));
        let is_blank = printable::line(&text).trim().is_empty();
        prop_assert!(printable::is_safe(&markdown), "{}", markdown);
        if !is_blank {
            prop_assert_eq!(structure(&markdown), structure(&plain), "{}", markdown);
        }
        let first = cells(&markdown).into_iter().next().unwrap();
        prop_assert_eq!(shown(&first.replace('\u{200b}', "")), shown(&text), "{}", markdown);
    }

    #[test]
    fn no_text_mentions_or_links(text in text()) {
        let mut document = document(&text);
        // GitHub looks for neither in code.
        document.blocks.retain(|block| !matches!(block, Block::Chart(_) | Block::Fold(_)));
        let markdown = markdown::render(&document);
        for sign in ["://", "www."] {
            prop_assert!(!markdown.contains(sign), "{} in {}", sign, markdown);
        }
        let mentions = markdown.matches('@').count();
        prop_assert_eq!(mentions, markdown.matches("@&#8203;").count(), "{}", markdown);
    }
}

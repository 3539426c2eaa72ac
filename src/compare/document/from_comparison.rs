//! The whole comparison as a document.

use std::collections::BTreeSet;

use super::figures::more;
use super::headline::quotable;
use super::layout::Layout;
use super::{tables, verdict_blocks};
use crate::compare::{Comparison, Side};
use crate::diag;
use crate::report::document::{Block, Document, Level, Meaning, Paragraph, Span};

/// So many pairs of sides are shown.
const PAIRS: usize = 100;

impl Document {
    /// What changed, how sure that is, and what follows.
    #[must_use]
    pub fn from_comparison(comparison: &Comparison, layout: Layout) -> Document {
        let names: Vec<&str> = comparison.versus.iter().map(|it| &*it.new.name).collect();
        let mut blocks = vec![
            Block::Heading {
                level: Level::Document,
                title: format!(
                    "{} compared with {}",
                    names.join(", "),
                    comparison.base.name
                ),
            },
            Block::Text(
                std::iter::once(&comparison.base)
                    .chain(comparison.versus.iter().map(|it| &it.new))
                    .map(about)
                    .collect(),
            ),
        ];
        for versus in &comparison.versus {
            if comparison.versus.len() > 1 {
                blocks.push(Block::Heading {
                    level: Level::Section,
                    title: versus.new.name.clone(),
                });
            }
            blocks.extend(verdict_blocks::blocks(comparison, versus, layout));
        }
        if !comparison.pairs.is_empty() {
            blocks.push(Block::Heading {
                level: Level::Section,
                title: "pairs".to_owned(),
            });
            let shown = &comparison.pairs[..comparison.pairs.len().min(PAIRS)];
            let more = more(comparison.pairs.len() - shown.len());
            let about = format!("each side with each other one, corrected together{more}");
            blocks.push(Block::paragraph(Meaning::Plain, about));
            blocks.push(Block::Table(tables::pairs(shown)));
        }
        let last: Vec<Paragraph> = comparison
            .versus
            .iter()
            .filter_map(|versus| {
                let quotable = quotable(comparison, versus)?;
                let text = match comparison.versus.len() {
                    1 => quotable,
                    _ => format!("{}: {quotable}", versus.new.name),
                };
                Some(vec![Span::new(Meaning::Strong, text)])
            })
            .collect();
        blocks.push(Block::Text(last));
        Document { blocks }
    }
}

/// The runs of a side.
fn about(side: &Side) -> Paragraph {
    let runs = match side.runs.as_slice() {
        [run] => {
            let began = run.began.map(|at| format!(", {at:.0}"));
            format!(
                "run {} of {}{}",
                run.id,
                run.plan,
                began.unwrap_or_default()
            )
        }
        runs => {
            let plans: BTreeSet<&str> = runs.iter().map(|run| &*run.plan).collect();
            let plans: Vec<&str> = plans.into_iter().collect();
            let span = runs.first().zip(runs.last());
            let span = span.and_then(|(first, last)| first.began.zip(last.began));
            let span = span.map(|(first, last)| format!(", {first:.0} to {last:.0}"));
            format!(
                "{} of {}{}",
                diag::count(runs.len(), "run"),
                plans.join(" and "),
                span.unwrap_or_default()
            )
        }
    };
    vec![
        Span::new(Meaning::Strong, side.name.clone()),
        Span::plain(format!(": {runs}")),
    ]
}

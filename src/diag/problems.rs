//! All problems of one or more texts.

use std::fmt;
use std::sync::Arc;

use super::passage::Passage;
use super::problem::Problem;
use super::render;
use super::source::{Place, Source};

/// How many problems are kept; the others are only counted.
const KEPT: usize = 100;

/// All problems of one or more texts, sorted by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    sources: Vec<Arc<Source>>,
    found: Vec<Problem>,
    /// Problems beyond the limit of those that are kept.
    dropped: usize,
}

impl Problems {
    /// No problems yet, with one source, of index 0.
    #[must_use]
    pub fn new(source: Source) -> Problems {
        Problems {
            sources: vec![Arc::new(source)],
            found: Vec::new(),
            dropped: 0,
        }
    }

    /// Adds a source and gives its index.
    pub fn add_source(&mut self, source: Source) -> usize {
        self.sources.push(Arc::new(source));
        self.sources.len() - 1
    }

    /// Adds a problem, except one that is already there: an alias leads to the same place twice.
    pub fn push(&mut self, problem: Problem) {
        let problem = problem.neutral();
        if self.is_full() {
            self.dropped += 1;
        } else if !self.found.contains(&problem) {
            let at = self
                .found
                .partition_point(|other| other.place <= problem.place);
            self.found.insert(at, problem);
        }
    }

    /// Adds a problem of what is written in a passage.
    pub fn push_at(&mut self, passage: &Passage, problem: Problem) {
        let is_there = |source: &Arc<Source>| Arc::ptr_eq(source, &passage.source);
        let source = self.sources.iter().position(is_there);
        let source = source.unwrap_or_else(|| {
            self.sources.push(Arc::clone(&passage.source));
            self.sources.len() - 1
        });
        let span = passage.span;
        self.push(problem.at(Place { source, span }));
    }

    /// What is written in a place; an empty text for a place in no source.
    #[must_use]
    pub fn passage(&self, place: Place) -> Passage {
        Passage {
            source: self.sources.get(place.source).cloned().unwrap_or_default(),
            span: place.span,
        }
    }

    /// Whether further problems are only counted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.found.len() >= KEPT
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many problems there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len() + self.dropped
    }

    /// The problems, by place.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.found.iter()
    }

    #[must_use]
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// Every problem under its source line, for a terminal (with ANSI colours) or a file. Ends
    /// without a line break.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        render::render(&self.sources, &self.found, self.len(), colour)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

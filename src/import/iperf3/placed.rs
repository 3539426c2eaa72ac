//! Documents, each with the test that it belongs to.

use std::collections::{HashMap, HashSet};

use indexmap::IndexSet;
use jiff::Timestamp;

use super::pattern::Match;
use super::reading::Reading;
use super::shape::Shape;

/// A document with its place.
#[derive(Clone, Debug)]
pub struct Document {
    /// What its path says.
    pub place: Match,
    /// The number of its file, in the order of the paths.
    pub file: usize,
    /// Of its file, which is kept under `raw/`.
    pub extension: &'static str,
    /// When the file was written: the time of a run whose documents have none.
    pub modified: Timestamp,
    pub reading: Reading,
}

/// What tells the paths of a plan apart: a cell's name, and whether the server sends.
pub(super) type PathKey = (String, bool);

/// A document, its test and its size.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub document: Document,
    pub shape: Shape,
    pub size: Option<u64>,
}

impl Placed {
    pub fn path(&self) -> PathKey {
        (self.document.place.cell.clone(), self.shape.is_reverse)
    }

    /// Whether the document itself says which test it is.
    pub fn is_certain(&self) -> bool {
        self.document.reading.test.is_some()
    }

    /// Column and run.
    pub fn run(&self) -> (&str, &str) {
        let place = &self.document.place;
        (&place.column, &place.run)
    }
}

/// Finds the test of each document. One that failed before it began does not say what it was to measure: it is one of
/// the tests that its cell has in other runs and not in its own, or else a plain one.
pub(super) fn place(documents: Vec<Document>) -> Vec<Placed> {
    let mut known: HashMap<String, IndexSet<(Shape, Option<u64>)>> = HashMap::new();
    let mut present: HashSet<(Match, usize)> = HashSet::new();
    for document in &documents {
        if let Some(test) = &document.reading.test {
            let tests = known.entry(document.place.cell.clone()).or_default();
            let (at, _) = tests.insert_full(test.clone());
            present.insert((document.place.clone(), at));
        }
    }
    let placed = documents.into_iter().map(|document| {
        let mut guess = || {
            let tests = known.get(&document.place.cell)?;
            // Each missing test is that of one document.
            let mut all = 0..tests.len();
            let missing = all.find(|at| present.insert((document.place.clone(), *at)));
            tests.get_index(missing.unwrap_or(0)).cloned()
        };
        let test = document.reading.test.clone().or_else(&mut guess);
        let (shape, size) = test.unwrap_or_default();
        Placed {
            document,
            shape,
            size,
        }
    });
    placed.collect()
}

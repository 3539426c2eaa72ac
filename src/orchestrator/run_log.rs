//! The log of a run: which lines its pod prints.

use super::log_lines::Lines;
use crate::results::EventKind;

/// Takes the lines of a run's log.
pub(super) struct RunLog<'t> {
    lines: Lines,
    say: &'t mut (dyn FnMut(&str) + Send),
    cells_ended: usize,
}

impl<'t> RunLog<'t> {
    /// The log of a run of which some cells have ended before.
    pub fn new(lines: Lines, say: &'t mut (dyn FnMut(&str) + Send), cells_ended: usize) -> Self {
        Self {
            lines,
            say,
            cells_ended,
        }
    }

    pub fn say(&mut self, text: &str) {
        (self.say)(text);
    }

    /// Tells of a new event, in a run of `total` cells.
    pub fn event(&mut self, event: &EventKind, total: usize) {
        if let EventKind::CellEnded { .. } = event {
            self.cells_ended += 1;
        }
        self.repeat(event, total);
    }

    /// Tells of an event that was told of before.
    pub fn repeat(&mut self, event: &EventKind, total: usize) {
        let count = (self.cells_ended, total);
        let record = self.lines.record(event, count);
        let line = self.lines.line(event, count);
        for line in record.iter().chain(&line) {
            (self.say)(line);
        }
    }
}

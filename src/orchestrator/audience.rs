//! Who watches the run, and whether somebody has collected its records.

/// Those who watch.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// How many watch now.
    watching: usize,
    has_come: bool,
    /// Somebody has every record of the finished run.
    pub has_collected: bool,
}

impl Audience {
    /// Somebody begins to watch.
    pub fn comes(&mut self) {
        self.watching += 1;
        self.has_come = true;
    }

    /// Somebody watches no more.
    pub fn goes(&mut self) {
        self.watching = self.watching.saturating_sub(1);
    }

    /// Whether somebody watches now.
    pub fn is_there(&self) -> bool {
        self.watching > 0
    }

    /// Whether somebody watches or has watched.
    pub fn has_come(&self) -> bool {
        self.has_come
    }

    /// Whether somebody has collected the records, and nobody is still at it.
    pub fn is_done(&self) -> bool {
        self.has_collected && !self.is_there()
    }
}

//! What a test cannot be that measures all of its paths at once.

use super::tree::decoder::Decoder;
use crate::diag::{Place, Problem};
use crate::plan::model::timing::{Repeat, Timing};

/// Refuses a search: each of its samples depends on those of one path.
pub fn check_find(decoder: &Decoder<'_>, place: Place, has_find: bool) {
    if has_find {
        decoder.report(
            Problem::new(place, "a search cannot measure its paths together").help(
                "each path has a rate of its own to find: remove `find`, or measure one path after the other",
            ),
        );
    }
}

/// Refuses `together: false` beside `during:`, whose times count from one go of all paths.
pub fn refuse_with_during(decoder: &Decoder<'_>, place: Place) {
    decoder.report(
        Problem::new(place, "a test with `during` measures its paths together")
            .help("remove `together: false`, or make a test for each path"),
    );
}

/// Refuses loads: they run around one sample.
pub fn check_load(decoder: &Decoder<'_>, place: Place, has_load: bool) {
    if has_load {
        decoder.report(
            Problem::new(place, "a test with a load measures one path at a time")
                .help("remove `together` or `load`"),
        );
    }
}

/// Refuses to repeat until something is known: the paths would not need the same number of samples.
pub fn check_repeat(decoder: &Decoder<'_>, place: Place, timing: &Timing) {
    if let Repeat::Until(_) = timing.repeat {
        decoder.report(
            Problem::new(
                place,
                "paths that are measured together take the same number of samples",
            )
            .help("give `repeat` a number in this test, e.g. `repeat: 5`"),
        );
    }
}

//! What is known of a gap beside its time.

use crate::tools::probe_output::Fate;

/// What is known of a gap.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Detail {
    pub connection: Option<Fate>,
    pub open: bool,
}

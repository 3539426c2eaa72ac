//! The copy of the journal: who holds it, what workers say of it, and how an orchestrator continues from it.

pub mod claim;
pub mod epoch;
pub mod holder;
pub mod succession;

//! nptest's CSV → a run.

mod run;
mod table;

pub use run::{Imported, run};
pub use table::{Row, Table, read};

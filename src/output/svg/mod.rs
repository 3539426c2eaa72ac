//! Charts as SVG: one renderer for the page, for files and for tests.
//!
//! A chart has a bounded number of elements, however long its series are. Series differ in color, marker
//! and dash. Colors are CSS variables of `templates/page/chart.css`; attributes repeat those of the
//! light theme for programs that know no CSS variables.

mod canvas;
mod dot_plot;
mod file;
mod labels;
mod line_chart;
mod look;
mod reduce;
mod scale;

pub use canvas::{MOST_POINTS, Size};
pub use dot_plot::{MOST_ROWS, dot_plot};
pub use file::{file, from_document};
pub use line_chart::{MOST_SERIES, line_chart};
pub use look::{Look, swatch};
pub use reduce::reduce;

//! A document as one HTML file that needs nothing else: `report.html`.
//!
//! Charts are SVG. The page's program (`templates/page/page.js`) shows values, switches series, and sorts
//! tables; without it the page is complete, too. A Content-Security-Policy permits this program and this
//! style alone, so that no text of others can run or load anything.

mod chart_data;
mod error;
mod figure;
mod page;
mod policy;
mod render;
mod span;
mod table;

pub use error::HtmlError;
pub use render::render;

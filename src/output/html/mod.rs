//! A document as one HTML file that needs nothing else: `report.html`.
//!
//! Charts are SVG. The page's program (`templates/page/page.js`) shows values, switches series, and sorts
//! tables; without it the page is complete, too. A Content-Security-Policy permits this program and this
//! style alone, so that no text of others can run or load anything.

mod chart_data;
mod figure;
mod page;
mod policy;
mod render;
mod table;

pub use render::{HtmlError, render};

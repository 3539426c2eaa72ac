//! The page in a real browser: without Chromium these tests are skipped.

mod accessible;
mod browser;
mod content;
mod hostile;
mod interactive;
mod open;
mod runs;
mod shown;

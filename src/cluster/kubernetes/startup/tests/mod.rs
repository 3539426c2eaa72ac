//! Tests of starts as stories.

mod progress;

//! Tests of the language as a whole.

mod described_keys;

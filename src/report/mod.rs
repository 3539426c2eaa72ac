//! A fold over the journal, and a file for each format.

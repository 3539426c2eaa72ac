//! Tries in throwaway namespaces what this machine can do.

pub mod features;
pub mod limits;

//! Rendered manifests → the objects of a run, or the first field that the local cluster does not support.

mod checks;
mod fields;
mod objects;
mod origin;
mod policies;
mod read;
mod support;

pub use objects::{Objects, PodObject, name, namespace};

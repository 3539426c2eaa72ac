//! The language: text → [`Plan`], all problems at once, each with its place.

mod decode;
mod describe;
mod model;
mod text;

pub use crate::catalog::{Metric, Unit};
pub use decode::load::{load, load_file};
pub use describe::explain::{Explanation, explain};
pub use describe::init::init_text;
pub use describe::reference::reference;
pub use describe::schema::schema;
pub use model::choice::word;
pub use model::container::{SecurityContext, WorkerPort};
pub use model::during::{By, Deed, During};
pub use model::expect::{Bound, Comparison, Condition, Expectation, Expectations, Find, Goal};
pub use model::family::Family;
pub use model::fault::{Fault, LossyLink};
pub use model::kubernetes::*;
pub use model::kubernetes_names::{namespace_name, quantity};
pub use model::load_paths::LoadPath;
pub use model::local::{
    DEFAULT_MTU, ETHERNET_BYTES, EmulatedNode, LEAST_IPV6_MTU, Link, Local, LocalPods,
    MOST_EMULATED_NODES, Offloads, Qdisc, largest_packet,
};
pub use model::objects::{Connection, ForbiddenConnection, ObjectFile};
pub use model::path::{Mesh, MeshEntry, Path, PathEntry, Via};
pub use model::plan::{MeshPaths, Plan};
pub use model::plan_file::*;
pub use model::pod_patch::{OFFLOADS_CONTAINER, OWN_CONTAINERS, PodPatch};
pub use model::pod_settings::PodSettings;
pub use model::queue::{MOST_QUEUE_BYTES, Queue};
pub use model::test_load::Load;
pub use model::timing::{Precision, Repeat, Timing, Until};
pub use model::tools::declared::*;
pub use model::tools::extractor::{FigureUnit, Pattern, PatternError, Pointer};
pub use model::tools::tool::{BuiltInUse, OptionValue, ToolSpec};
pub use model::tools::{expression, template_bounds};
pub use model::variants::{
    ALL_WORKERS, LEAST_ROUNDS, ToolParameters, VARIANT_MARK, Variant, VariantLocal, default_rounds,
};
pub use model::{sweep, units};
pub use text::documents::{DocumentError, document, documents};
pub use text::source_env::{Alone, SourceEnv, Unreadable};
pub use text::write::YamlError;

#[cfg(test)]
mod tests;

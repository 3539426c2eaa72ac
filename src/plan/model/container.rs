//! What the container of a worker has beside its resources: ports and a security context.

use serde::Serialize;
use serde_json::Value;

use super::tools::declared::PortProtocol;

/// A port that a worker is reached on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WorkerPort {
    pub port: u16,
    pub protocol: PortProtocol,
}

/// Fields of a container's `securityContext`, as Kubernetes spells them. A `null` removes a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecurityContext(pub serde_json::Map<String, Value>);

impl SecurityContext {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These fields, and those of `wider` that are not among them. Mappings merge; lists replace.
    #[must_use]
    pub fn over(&self, wider: &Self) -> Self {
        let mut merged = wider.0.clone();
        put(&mut merged, &self.0);
        Self(merged)
    }
}

fn put(into: &mut serde_json::Map<String, Value>, fields: &serde_json::Map<String, Value>) {
    for (key, value) in fields {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(fields)) => put(into, fields),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

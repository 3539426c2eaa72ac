//! Checks an object against the list of supported fields.

use serde_json::Value;

use super::fields::{Field, Section, Support};
use crate::diag::one_of;

/// A field that the local cluster does not support, or not with this value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    /// The field's path: `spec.containers[0].image`.
    pub field: String,
    pub what: String,
}

/// Checks all fields of an object, removes the ignored ones, and turns octal file modes into numbers.
///
/// # Errors
/// The first field that is not in the list, is missing, or has an unsupported value.
pub(super) fn check(object: &mut Value, sections: &[Section]) -> Result<(), Unsupported> {
    let fields = sections.iter().flat_map(|(at, fields)| {
        let joined = move |field: &Field| (join(at, field.path), *field);
        fields.iter().map(joined)
    });
    SupportedFields(fields.collect()).check(object, "", "")
}

/// The supported fields by their full path.
struct SupportedFields(Vec<(String, Field)>);

impl SupportedFields {
    /// Checks a value; `pattern` is its path in the list, `path` that in the object.
    fn check(&self, value: &mut Value, pattern: &str, path: &str) -> Result<(), Unsupported> {
        match (self.support(pattern), value) {
            (Some(Support::Parent), Value::Object(entries)) => {
                for (key, value) in entries.iter_mut() {
                    let (pattern, path) = (join(pattern, key), join(path, key));
                    // A key with a separator would look like a field further below.
                    if key.contains(['.', '[']) || self.support(&pattern).is_none() {
                        return Err(self.unknown(key, &pattern, path));
                    }
                    self.check(value, &pattern, &path)?;
                }
                entries.retain(|key, _| {
                    !matches!(self.support(&join(pattern, key)), Some(Support::Ignored))
                });
                let missing = self.children(pattern).find(|(child, field)| {
                    field.is_required
                        && !matches!(field.support, Support::Ignored)
                        && !entries.contains_key(*child)
                });
                missing.map_or(Ok(()), |(child, _)| {
                    unsupported(&join(path, child), "the field is missing")
                })
            }
            (Some(Support::Parent), Value::Array(items)) => {
                let pattern = format!("{pattern}[]");
                let mut items = items.iter_mut().enumerate();
                items.try_for_each(|(index, item)| {
                    self.check(item, &pattern, &format!("{path}[{index}]"))
                })
            }
            (Some(support), value) => check_value(support, value, path),
            (None, _) => unsupported(path, "the local cluster does not support a list here"),
        }
    }

    /// What the list says about a path; a path that others begin with is a parent.
    fn support(&self, pattern: &str) -> Option<Support> {
        let listed = self.0.iter().find(|(path, _)| path == pattern);
        let is_parent = || {
            let mut paths = self.0.iter().map(|(path, _)| path);
            paths.any(|path| below(path, pattern).is_some())
        };
        match listed {
            Some((_, field)) => Some(field.support),
            None => is_parent().then_some(Support::Parent),
        }
    }

    /// The listed fields directly below a path, by name.
    fn children<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = (&'a str, &'a Field)> {
        let fields = self.0.iter();
        fields
            .filter_map(move |(path, field)| Some((below(path, pattern)?, field)))
            .filter(|(child, _)| !child.contains(['.', '[']))
    }

    fn unknown(&self, key: &str, pattern: &str, path: String) -> Unsupported {
        let parent = pattern.strip_suffix(key).unwrap_or_default();
        let parent = parent.trim_end_matches('.');
        let mut known: Vec<&str> = Vec::new();
        for (path, _) in &self.0 {
            let child = below(path, parent).and_then(|below| below.split(['.', '[']).next());
            known.extend(child.filter(|child| !child.is_empty() && !known.contains(child)));
        }
        known.sort_unstable();
        Unsupported {
            field: path,
            what: format!(
                "the local cluster does not support this field; it supports {}",
                one_of(known)
            ),
        }
    }
}

fn check_value(support: Support, value: &mut Value, path: &str) -> Result<(), Unsupported> {
    match support {
        // The same as a missing field.
        _ if value.is_null() => Ok(()),
        // The types of all others are checked when the object is read.
        Support::Used | Support::Ignored | Support::Parent => Ok(()),
        Support::OneOf(known) => match value.as_str() {
            Some(text) if known.contains(&text) => Ok(()),
            _ => unsupported(
                path,
                &format!(
                    "the local cluster does not support {value} here; use {}",
                    one_of(known.iter().copied())
                ),
            ),
        },
        Support::Number(from, to) => match value.as_u64() {
            Some(number) if (from..=to).contains(&number) => Ok(()),
            _ if from == to => unsupported(path, &format!("expected {from}, not {value}")),
            _ => unsupported(
                path,
                &format!("expected a whole number from {from} to {to}, not {value}"),
            ),
        },
        Support::FileMode => {
            let mode = match &value {
                Value::String(text) if text.starts_with('0') => {
                    u64::from_str_radix(text.trim_start_matches("0o"), 8).ok()
                }
                number => number.as_u64(),
            };
            let Some(mode) = mode.filter(|mode| *mode <= 0o777) else {
                return unsupported(path, "expected a file mode from 0 to 0777");
            };
            *value = mode.into();
            Ok(())
        }
    }
}

fn unsupported(field: &str, what: &str) -> Result<(), Unsupported> {
    Err(Unsupported {
        field: field.to_owned(),
        what: what.to_owned(),
    })
}

fn join(parent: &str, child: &str) -> String {
    match (parent, child) {
        ("", child) => child.to_owned(),
        (parent, "") => parent.to_owned(),
        (parent, child) => format!("{parent}.{child}"),
    }
}

/// The part of a path that is below a parent; `[]` is below a list.
fn below<'a>(path: &'a str, parent: &str) -> Option<&'a str> {
    if parent.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(parent)?;
    let child = rest.strip_prefix('.');
    child.or_else(|| rest.starts_with("[]").then_some(rest))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use proptest::sample::Index;
    use serde_json::json;

    use super::*;
    use crate::cluster::Error;
    use crate::cluster::local::manifests::Objects;
    use crate::cluster::local::manifests::fields::supported;
    use crate::render::Manifest;

    /// Objects that refer to each other, with every supported field but those that are refused for
    /// a reason of their own.
    fn examples() -> Vec<Value> {
        let metadata = |name: &str| json!({"name": name, "namespace": "np", "labels": {"a.b/c": "d"}, "annotations": {"note": "x"}});
        let term = json!([{
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"a.b/c": "d"}},
        }]);
        let near = json!({"requiredDuringSchedulingIgnoredDuringExecution": term});
        let far = json!({"requiredDuringSchedulingIgnoredDuringExecution": [{
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"a.b/c": "none"}},
        }]});
        let pod = json!({
            "restartPolicy": "OnFailure",
            "hostNetwork": false,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {"runAsNonRoot": true},
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"operator": "Exists"}],
            "priorityClassName": "high",
            "runtimeClassName": "gvisor",
            "imagePullSecrets": [{"name": "registry"}],
            "affinity": {"nodeAffinity": null, "podAffinity": near, "podAntiAffinity": far},
            "containers": [{
                "name": "c",
                "image": "netplan",
                "imagePullPolicy": "Never",
                "command": ["true"],
                "args": ["-v"],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
                ],
                "ports": [{"containerPort": 1}],
                "securityContext": {"readOnlyRootFilesystem": true},
                "resources": {"limits": {"cpu": 1}},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp", "readOnly": true}],
            }],
            "volumes": [
                {"name": "map", "configMap": {"name": "map", "defaultMode": "0440"}},
                {"name": "key", "secret": {"secretName": "key", "defaultMode": 288}},
                {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            ],
        });
        vec![
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata("p"), "spec": pod}),
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("j"), "spec": {
                "backoffLimit": 2, "parallelism": 1, "completions": 1, "ttlSecondsAfterFinished": 5,
                "template": {"metadata": {"labels": {"a": "b"}, "annotations": {}}, "spec": pod},
            }}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata("s"), "spec": {
                "selector": {"a.b/c": "d"}, "type": "ClusterIP", "ipFamilyPolicy": "SingleStack",
                "ipFamilies": ["IPv4"], "publishNotReadyAddresses": true,
                "ports": [{"name": "p", "port": 1, "targetPort": 2, "protocol": "UDP", "appProtocol": "http"}],
            }}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("map"),
                "data": {"a.yaml": "x"}, "binaryData": {"b": "AAE="}, "immutable": true}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata("key"),
                "stringData": {"c": "d"}, "type": "Opaque", "immutable": false}),
        ]
    }

    fn read(objects: &[Value]) -> Result<Objects, Error> {
        let manifest = |object: &Value| Manifest {
            template: "t.yaml.j2".to_owned(),
            text: String::new(),
            object: object.clone(),
        };
        Objects::from_manifests(&objects.iter().map(manifest).collect::<Vec<_>>())
    }

    /// The path of the field that is refused, and the message.
    fn refusal(objects: &[Value]) -> (String, String) {
        match read(objects) {
            Err(Error::Refused { field, what, .. }) => (field, what),
            other => panic!("{other:?}"),
        }
    }

    fn fields(object: &Value) -> SupportedFields {
        let text = |key: &str| object[key].as_str().unwrap();
        let sections = supported(text("apiVersion"), text("kind")).unwrap().iter();
        let all = sections
            .flat_map(|(at, fields)| fields.iter().map(|field| (join(at, field.path), *field)));
        SupportedFields(all.collect())
    }

    /// An object inside of another one.
    #[derive(Clone, Debug)]
    struct Place {
        /// For [`Value::pointer`].
        pointer: String,
        pattern: String,
        path: String,
    }

    /// All places below which the fields are listed one by one, and the patterns of all fields.
    fn walk(value: &Value, at: &Place, fields: &SupportedFields) -> (Vec<Place>, BTreeSet<String>) {
        let mut places = Vec::new();
        let mut patterns = BTreeSet::from([at.pattern.clone()]);
        if !matches!(fields.support(&at.pattern), Some(Support::Parent)) {
            return (places, patterns);
        }
        let children: Vec<(Place, &Value)> = match value {
            Value::Object(entries) => {
                places.push(at.clone());
                let child = |(key, value): (&String, _)| {
                    let place = Place {
                        pointer: format!("{}/{key}", at.pointer),
                        pattern: join(&at.pattern, key),
                        path: join(&at.path, key),
                    };
                    (place, value)
                };
                entries.iter().map(child).collect()
            }
            Value::Array(items) => {
                let child = |(index, value)| {
                    let place = Place {
                        pointer: format!("{}/{index}", at.pointer),
                        pattern: format!("{}[]", at.pattern),
                        path: format!("{}[{index}]", at.path),
                    };
                    (place, value)
                };
                items.iter().enumerate().map(child).collect()
            }
            _ => Vec::new(),
        };
        for (place, value) in children {
            let (below, more) = walk(value, &place, fields);
            places.extend(below);
            patterns.extend(more);
        }
        (places, patterns)
    }

    fn root() -> Place {
        Place {
            pointer: String::new(),
            pattern: String::new(),
            path: String::new(),
        }
    }

    #[test]
    fn every_listed_field_is_accepted() {
        let examples = examples();
        let objects = read(&examples).unwrap();
        assert_eq!(objects.pods.len(), 2);
        for example in &examples {
            let fields = fields(example);
            let (_, used) = walk(example, &root(), &fields);
            for (pattern, _) in &fields.0 {
                assert!(used.contains(pattern), "the example lacks {pattern}");
            }
        }
    }

    #[test]
    fn ignored_fields_have_no_effect() {
        let spec = &read(&examples()).unwrap().pods[0].pod.spec;
        assert_eq!(spec.node_selector, None);
        assert_eq!(spec.containers[0].image, None);
        let volumes = spec.volumes.as_deref().unwrap();
        assert_eq!(
            volumes[0].config_map.as_ref().unwrap().default_mode,
            Some(0o440)
        );
    }

    #[test]
    fn a_missing_required_field_is_named() {
        let examples = examples();
        for (index, example) in examples.iter().enumerate() {
            let fields = fields(example);
            for place in walk(example, &root(), &fields).0 {
                for (child, field) in fields.children(&place.pattern) {
                    let at = example.pointer(&place.pointer).unwrap();
                    let is_named = matches!(child, "apiVersion" | "kind");
                    if !field.is_required || is_named || at.get(child).is_none() {
                        continue;
                    }
                    let mut objects = examples.clone();
                    let parent = objects[index].pointer_mut(&place.pointer).unwrap();
                    parent.as_object_mut().unwrap().remove(child);
                    let (refused, what) = refusal(&objects);
                    assert_eq!(refused, join(&place.path, child), "{what}");
                }
            }
        }
    }

    #[test]
    fn values_that_are_not_supported_are_named() {
        for (kind, pointer, value, said) in [
            (
                0,
                "/spec/containers/0/command",
                json!("true"),
                "invalid type",
            ),
            (
                0,
                "/spec/volumes/0/configMap/defaultMode",
                json!("0999"),
                "from 0 to 0777",
            ),
            (
                0,
                "/spec/containers/0/env/1/valueFrom/fieldRef/fieldPath",
                json!("spec.x"),
                "use ",
            ),
            (1, "/spec/backoffLimit", json!(-1), "from 0 to"),
            (2, "/spec/ports/0/port", json!(70_000), "from 1 to 65535"),
            (
                2,
                "/spec/ports/0/targetPort",
                json!("web"),
                "from 1 to 65535",
            ),
            (2, "/spec/ipFamilies/0", json!("IPv6"), "use `IPv4`"),
            (3, "/binaryData/b", json!("?"), ""),
            (4, "/metadata/labels", json!([]), "invalid type"),
        ] {
            let mut objects = examples();
            *objects[kind].pointer_mut(pointer).unwrap() = value;
            let (field, what) = refusal(&objects);
            let path = pointer[1..].replace('/', ".");
            let plain = field.replace(['[', ']'], ".").replace("..", ".");
            assert_eq!(plain.trim_end_matches('.'), path, "{what}");
            assert!(what.contains(said), "{what}");
        }
    }

    proptest! {
        #[test]
        fn a_field_that_is_not_listed_is_refused_by_its_path(
            object in any::<Index>(),
            place in any::<Index>(),
            key in "[a-zA-Z][a-zA-Z.\\[\\]]{0,12}",
            value in prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!({"a": []}))],
        ) {
            let mut objects = examples();
            let index = object.index(objects.len());
            let fields = fields(&objects[index]);
            let places = walk(&objects[index], &root(), &fields).0;
            let place = places[place.index(places.len())].clone();
            let is_listed = !key.contains(['.', '[']) && fields.support(&join(&place.pattern, &key)).is_some();
            prop_assume!(!is_listed);
            let parent = objects[index].pointer_mut(&place.pointer).unwrap();
            parent.as_object_mut().unwrap().insert(key.clone(), value);
            prop_assert_eq!(refusal(&objects).0, join(&place.path, &key));
        }

        #[test]
        fn a_field_of_the_list_is_refused_in_another_place(
            object in any::<Index>(),
            place in any::<Index>(),
            field in any::<Index>(),
        ) {
            let objects = examples();
            let index = object.index(objects.len());
            let fields = fields(&objects[index]);
            let places = walk(&objects[index], &root(), &fields).0;
            let place = places[place.index(places.len())].clone();
            // A whole path as a key, or its last part.
            let path = &fields.0[field.index(fields.0.len())].0;
            let key = path.rsplit('.').next().unwrap().trim_end_matches("[]").to_owned();
            for key in [path.clone(), key] {
                let is_listed = !key.contains(['.', '[']) && fields.support(&join(&place.pattern, &key)).is_some();
                if is_listed {
                    continue;
                }
                let mut objects = objects.clone();
                let parent = objects[index].pointer_mut(&place.pointer).unwrap();
                parent.as_object_mut().unwrap().insert(key.clone(), json!(1));
                prop_assert_eq!(refusal(&objects).0, join(&place.path, &key));
            }
        }
    }
}

//! Objects with every supported field, and what is said of the others.

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
    }], "preferredDuringSchedulingIgnoredDuringExecution": []});
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
        "initContainers": [{
            "name": "offloads",
            "image": "netplan",
            "imagePullPolicy": "Never",
            "command": ["netplan", "offloads-off"],
            "env": [{"name": "A", "value": "1"}],
            "securityContext": {"runAsUser": 0},
            "resources": {"limits": {"cpu": 1}},
        }],
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
            {"name": "results", "persistentVolumeClaim": {"claimName": "results"}},
        ],
    });
    vec![
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata("p"), "spec": pod}),
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("j"), "spec": {
            "backoffLimit": 2, "parallelism": 1, "completions": 1, "activeDeadlineSeconds": 600,
            "ttlSecondsAfterFinished": 5,
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
        Err(Error::Refused { field, problem, .. }) => (field, problem.what),
        other => panic!("{other:?}"),
    }
}

fn fields(object: &Value) -> SupportedFields {
    let text = |key: &str| object[key].as_str().unwrap();
    SupportedFields(supported(text("apiVersion"), text("kind")))
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
    if fields.support(&at.pattern) != Some(&Support::Parent) {
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
        for Field { path, .. } in &fields.0 {
            assert!(used.contains(path), "the example lacks {path}");
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
            for (child, field) in fields.below(&place.pattern) {
                let at = example.pointer(&place.pointer).unwrap();
                let is_named = matches!(child, "apiVersion" | "kind") || child.contains(['.', '[']);
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
            "expected ",
        ),
        (1, "/spec/backoffLimit", json!(-1), "from 0 to"),
        (2, "/spec/ports/0/port", json!(70_000), "from 1 to 65535"),
        (
            2,
            "/spec/ports/0/targetPort",
            json!("web"),
            "from 1 to 65535",
        ),
        (
            2,
            "/spec/ipFamilies/0",
            json!("IPv5"),
            "expected `IPv4` or `IPv6`",
        ),
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
        let path = &fields.0[field.index(fields.0.len())].path;
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

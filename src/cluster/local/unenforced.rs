//! What a plan says of pods that the local cluster does not enforce. To ignore it would make it look free.

use std::collections::BTreeSet;

use crate::diag::Problem;
use crate::plan::{ALL_WORKERS, Plan, PodSettings};
use crate::render::Manifest;
use crate::render::policy::{Policy, VARIANT_LABEL};

/// The settings of workers, and of the variants that are measured, without effect here, each at its key. Labels, requests
/// and the like do no harm unless variants differ in them. `measured` has indexes into the plan's variants, `manifests`
/// their objects.
#[must_use]
pub fn unenforced(plan: &Plan, measured: &BTreeSet<usize>, manifests: &[Manifest]) -> Vec<Problem> {
    let variants = plan.variants.iter().enumerate();
    let variants = variants.filter(|(index, _)| measured.contains(index));
    let variants = variants.flat_map(|(_, (name, variant))| {
        let workers = variant.workers.iter();
        workers.map(move |(worker, pods)| (format!("variants.{name}.workers.{worker}"), pods))
    });
    // The base's workers have what the base variant says, which is told there.
    let is_told = |name: &str| {
        let base = plan.variants.first().map(|(_, base)| base.pods_of(name));
        base.is_some_and(|pods| !without_effect(&pods).is_empty())
    };
    let of_base = plan
        .workers
        .iter()
        .filter(|(_, worker)| worker.base.is_none());
    let workers = of_base
        .filter(|(name, worker)| !is_told(worker.group.as_deref().unwrap_or(name)))
        .map(|(name, worker)| (format!("workers.{name}"), &worker.pods));
    let mut problems = Vec::new();
    for (at, pods) in variants.chain(workers) {
        let keys = without_effect(pods).into_iter();
        problems.extend(keys.map(|key| problem(&format!("{at}.{key}"))));
    }
    let selected = selected_labels(manifests);
    let mut differences = differences(plan, measured);
    differences.retain(|key| {
        let label = key.split_once(".labels.").map(|(_, label)| label);
        label.is_none_or(|label| !selected.contains(label))
    });
    problems.extend(differences.iter().map(|key| problem(key)));
    problems.extend(other_objects(manifests));
    problems
}

/// What a worker's pods never have here.
fn without_effect(pods: &PodSettings) -> Vec<String> {
    let limits = pods.resources.limits.keys();
    let mut keys: Vec<String> = limits
        .map(|name| format!("resources.limits.{name}"))
        .collect();
    if pods.runtime_class.is_some() {
        keys.push("runtime_class".to_owned());
    }
    if !pods.security_context.is_empty() {
        keys.push("security_context".to_owned());
    }
    keys
}

/// The labels by which policies of variants select pods.
fn selected_labels(manifests: &[Manifest]) -> BTreeSet<String> {
    let policies = manifests.iter().filter(|one| Policy::is(one));
    // One that cannot be read is refused elsewhere.
    let policies = policies.filter_map(|manifest| Policy::from_manifest(manifest).ok());
    let policies = policies.filter(|policy| policy.variant.is_some());
    policies
        .flat_map(|policy| policy.label_keys().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The objects of variants of other kinds than policies.
fn other_objects(manifests: &[Manifest]) -> Vec<Problem> {
    let others = manifests.iter().filter(|manifest| !Policy::is(manifest));
    let others = others.filter_map(|manifest| {
        let labels = &manifest.object["metadata"]["labels"];
        let variant = labels[VARIANT_LABEL].as_str()?;
        let (kind, file) = (manifest.kind(), &manifest.template);
        let key = format!("variants.{variant}.objects");
        let what = format!("the {kind} of `{file}` in `{key}` has no effect on the local cluster");
        Some(Problem::without_place(what).help(HELP))
    });
    others.collect()
}

/// The keys of variants whose values are not those of the base, or of the base where a variant lacks them.
fn differences(plan: &Plan, measured: &BTreeSet<usize>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for worker in plan
        .workers
        .values()
        .filter(|worker| measured.contains(&worker.variant))
    {
        let Some(base) = &worker.base else { continue };
        let Some(base_worker) = plan.workers.get(base) else {
            continue;
        };
        let written = base_worker.group.as_deref().unwrap_or(base);
        for key in different_keys(&worker.pods, &base_worker.pods) {
            let mut said = [worker.variant, 0]
                .into_iter()
                .filter(|index| measured.contains(index));
            found.extend(said.find_map(|index| key_in(plan, index, written, &key)));
        }
    }
    found
}

/// Where a variant says something of a worker.
fn key_in(plan: &Plan, variant: usize, worker: &str, key: &str) -> Option<String> {
    let (name, variant) = plan.variants.get_index(variant)?;
    let says = |worker: &&str| {
        let pods = variant.workers.get(*worker);
        pods.is_some_and(|pods| {
            different_keys(pods, &PodSettings::default())
                .iter()
                .any(|said| said == key)
        })
    };
    let at = [worker, ALL_WORKERS].into_iter().find(says)?;
    Some(format!("variants.{name}.workers.{at}.{key}"))
}

/// The keys of which the local cluster has nothing, where the values differ.
fn different_keys(pods: &PodSettings, others: &PodSettings) -> Vec<String> {
    let requests = |pods: &PodSettings| pods.resources.requests.clone();
    let maps = [
        ("labels", pods.labels.clone(), others.labels.clone()),
        (
            "annotations",
            pods.annotations.clone(),
            others.annotations.clone(),
        ),
        (
            "node_selector",
            pods.node_selector.clone(),
            others.node_selector.clone(),
        ),
        ("resources.requests", requests(pods), requests(others)),
    ];
    let mut keys = Vec::new();
    for (key, here, there) in &maps {
        let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
        let differ = names
            .into_iter()
            .filter(|name| here.get(*name) != there.get(*name));
        keys.extend(differ.map(|name| format!("{key}.{name}")));
    }
    if pods.tolerations != others.tolerations {
        keys.push("tolerations".to_owned());
    }
    keys
}

fn problem(key: &str) -> Problem {
    Problem::without_place(format!("`{key}` has no effect on the local cluster")).help(HELP)
}

const HELP: &str =
    "run this plan on Kubernetes, remove the key, or leave its variant out: `--only variant=NAME`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan::load;

    fn keys(workers: &str, variants: &str, measured: &[usize]) -> Vec<String> {
        let text = format!(
            "version: 1
name: p
workers: {workers}
variants: {variants}
paths: [{{ name: pod, from: w2, to: w1, via: pod_ip }}]
tests: [netperf: {{ test: TCP_RR }}]
"
        );
        let plan = load(Source::new("p.yaml", text), &[]).unwrap();
        let problems = unenforced(&plan, &measured.iter().copied().collect(), &[]);
        let texts = problems
            .iter()
            .map(|problem| problem.what.split('`').nth(1).unwrap_or_default());
        texts.map(str::to_owned).collect()
    }

    #[test]
    fn what_variants_differ_in_is_refused_at_its_key() {
        let workers =
            "{ w1: { labels: { team: a } }, w2: { resources: { requests: { cpu: 1 } } } }";
        let variants = "{
  plain: { workers: { all: { annotations: { same: x } } } },
  mesh: { workers: { all: { annotations: { same: x, inject: 'true' } }, w1: { labels: { team: a, tier: b } } } },
  tight: { workers: { w2: { resources: { requests: { cpu: 2 } }, tolerations: [{ operator: Exists }] },
                      w1: { resources: { limits: { memory: 1Gi } } } } } }";
        let limits = "variants.tight.workers.w1.resources.limits.memory";
        let expected = [
            limits,
            // `plain` has an annotation that `tight` lacks.
            "variants.mesh.workers.all.annotations.inject",
            "variants.mesh.workers.w1.labels.tier",
            "variants.plain.workers.all.annotations.same",
            "variants.tight.workers.w2.resources.requests.cpu",
            "variants.tight.workers.w2.tolerations",
        ];
        assert_eq!(keys(workers, variants, &[0, 1, 2]), expected);
        assert_eq!(keys(workers, variants, &[0]), [""; 0]);
        assert_eq!(keys(workers, variants, &[0, 1]), expected[1..3]);
    }

    #[test]
    fn what_all_variants_have_is_taken() {
        let workers = "{ w1: { labels: { team: a } }, w2: { node_selector: { disk: ssd } } }";
        let same = "{ workers: { all: { annotations: { a: b } } } }";
        let variants = format!("{{ one: {same}, two: {same} }}");
        assert_eq!(keys(workers, &variants, &[0, 1]), [""; 0]);
    }
}

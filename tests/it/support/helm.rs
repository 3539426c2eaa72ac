//! Helm itself, by `tests/helm/helm.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{ROOT, installed};

/// Whether Helm is there.
pub fn helm() -> Result<(), String> {
    installed(&["python3"])?;
    let library = Path::new(ROOT).join("target/helm/helm_python");
    if library.is_dir() {
        Ok(())
    } else {
        Err("Helm is not there; `.ci/helm` fetches it".to_owned())
    }
}

/// Runs `helm.py` with these arguments; gives what it prints.
#[track_caller]
pub fn run_helm(arguments: &[&str]) -> String {
    let output = Command::new("python3")
        .arg(Path::new(ROOT).join("tests/helm/helm.py"))
        .args(arguments)
        .env("PYTHONPATH", Path::new(ROOT).join("target/helm"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What Helm makes of a chart: the text of each template, by its file name.
#[track_caller]
pub fn rendered_by_helm(chart: &Path, namespace: &str, values: &Value) -> BTreeMap<String, String> {
    let chart = chart.to_str().unwrap();
    let values = values.to_string();
    let printed = run_helm(&["template", "bench", chart, namespace, &values]);
    let all: BTreeMap<String, String> = serde_json::from_str(&printed).unwrap();
    let file_name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    all.into_iter()
        .map(|(path, text)| (file_name(&path), text))
        .collect()
}

//! Templates with a fault in a worker's pod.

use std::fs;
use std::path::Path;

/// Runs `plan.yaml` on this machine with the templates of [`add_templates`].
pub const RUN_WITH_TEMPLATES: [&str; 6] = [
    "run",
    "plan.yaml",
    "--on",
    "local",
    "--templates",
    "templates",
];

/// Writes `templates/` into a folder: the pod of `worker` runs `script` before the worker starts.
pub fn add_templates(folder: &Path, worker: &str, script: &str) {
    let template = include_str!("../../../templates/worker-job.yaml.j2");
    let command = "            - netplan\n            - worker\n";
    let script = script.replace('\'', "''");
    let faulty = format!(
        "{{%- if worker.name == \"{worker}\" %}}\n            - sh\n            - -c\n            - '{script}; exec \
         \"$0\" \"$@\"'\n{{%- endif %}}\n{command}"
    );
    let changed = template.replace(command, &faulty);
    assert_ne!(changed, template);
    fs::create_dir(folder.join("templates")).unwrap();
    fs::write(folder.join("templates/worker-job.yaml.j2"), changed).unwrap();
}

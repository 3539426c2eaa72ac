//! Which module may import which, and which crates each may use.
//!
//! Reads the paths that start with `crate::` or `super::` and names of crates in every source file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The other modules that each module may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("diag", &[]),
    ("system", &[]),
    ("files", &[]),
    ("catalog", &[]),
    ("connectivity", &[]),
    ("plan", &["catalog", "diag"]),
    ("schedule", &["catalog", "plan", "diag"]),
    ("tools", &["catalog", "schedule", "plan", "diag"]),
    (
        "render",
        &["tools", "schedule", "plan", "catalog", "files", "diag"],
    ),
    ("statistics", &["plan", "catalog"]),
    (
        "rpc",
        &[
            "connectivity",
            "tools",
            "schedule",
            "plan",
            "catalog",
            "files",
            "diag",
        ],
    ),
    (
        "results",
        &["tools", "schedule", "plan", "catalog", "files", "diag"],
    ),
    (
        "import",
        &[
            "results", "tools", "schedule", "plan", "catalog", "files", "diag",
        ],
    ),
    (
        "report",
        &[
            "results",
            "statistics",
            "tools",
            "schedule",
            "plan",
            "catalog",
            "diag",
        ],
    ),
    (
        "compare",
        &[
            "report",
            "results",
            "statistics",
            "tools",
            "schedule",
            "plan",
            "catalog",
            "diag",
        ],
    ),
    (
        "history",
        &[
            "compare",
            "report",
            "results",
            "statistics",
            "catalog",
            "diag",
        ],
    ),
    (
        "output",
        &[
            "history",
            "compare",
            "report",
            "results",
            "statistics",
            "tools",
            "schedule",
            "plan",
            "catalog",
            "diag",
        ],
    ),
    // What it prints is read by `tools`.
    ("probe", &["tools", "system"]),
    (
        "worker",
        &[
            "results", "rpc", "tools", "schedule", "plan", "catalog", "files", "diag", "system",
        ],
    ),
    (
        "orchestrator",
        &[
            "results",
            "rpc",
            "connectivity",
            "statistics",
            "tools",
            "schedule",
            "plan",
            "catalog",
            "files",
            "diag",
        ],
    ),
    (
        "cluster",
        &[
            "render", "results", "tools", "schedule", "plan", "catalog", "files", "diag", "system",
        ],
    ),
    (
        "cli",
        &[
            "orchestrator",
            "worker",
            "probe",
            "cluster",
            "output",
            "history",
            "compare",
            "report",
            "import",
            "render",
            "rpc",
            "connectivity",
            "results",
            "tools",
            "schedule",
            "plan",
            "catalog",
            "files",
            "diag",
            "system",
        ],
    ),
];

/// Crates that only some files may use: the crate, and the paths of these files.
const MAY_USE_CRATE: &[(&str, &[&str])] = &[
    ("serde_yaml", &["plan/text"]),
    ("granit_parser", &["plan/text"]),
    ("annotate_snippets", &["diag"]),
    ("clap", &["cli"]),
    ("comfy_table", &["output/terminal/table.rs"]),
    ("tonic", &["rpc", "orchestrator", "worker", "cli"]),
    (
        "minijinja",
        &["render", "output/html", "plan/model/tools/expression.rs"],
    ),
    ("kube", &["cluster/kubernetes"]),
    (
        "k8s_openapi",
        &["cluster", "plan/decode/pod_patch.rs", "render/pod_patch.rs"],
    ),
    ("socket2", &["probe", "rpc", "cluster/local"]),
    (
        "tokio",
        &["rpc", "orchestrator", "worker", "cluster", "cli"],
    ),
    (
        "nix",
        &["files", "probe", "worker", "cluster", "cli", "system"],
    ),
    ("tokio_rustls", &["rpc"]),
    (
        "hdrhistogram",
        &["probe/record/latency.rs", "probe/record/intervals.rs"],
    ),
    ("landlock", &["worker/tool_process/confine.rs"]),
];

/// What writes to a terminal, and the files that may: they make text of others safe to show.
const PRINTERS: &[&str] = &[
    "cli/terminal/printer.rs",
    // To a terminal also when stderr is none.
    "cli/terminal/confirm.rs",
    "cluster/local/sandbox/reporting.rs",
    // To a parent of their own program.
    "cluster/local/sandbox/probe/features.rs",
    "cluster/local/sandbox/probe/limits.rs",
];
const PRINTING: &[&str] = &[
    "println!",
    "print!",
    "dbg!",
    "io::stdout()",
    "io::stderr()",
    "anstream::",
    ".print()",
];
/// To ask what a stream is, is not to print.
const NO_PRINTING: &[&str] = &[
    "stderr().is_terminal()",
    "io::stdout().as_fd()",
    "anstream::adapter",
];

/// Parts of a module that may not import what the module may: the path, and the modules.
const MAY_NOT_IMPORT: &[(&str, &[&str])] = &[("orchestrator/state", &["rpc"])];

/// Files that are pure though their module is not.
const PURE: &[&str] = &[
    "orchestrator/state.rs",
    "orchestrator/state/",
    "cluster/local/blueprint/",
    "cluster/kubernetes/pods/status.rs",
    "cluster/kubernetes/pods/terminations.rs",
    "cluster/placement/",
    "cluster/kubernetes/detect.rs",
    "cluster/kubernetes/known_components.rs",
    "cluster/kubernetes/mesh_injection.rs",
    "cluster/kubernetes/kubeconfig/merged.rs",
    "cluster/kubernetes/kubeconfig/server.rs",
];

/// The Rust files of a folder and the folders below it.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

pub(crate) fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rust_files(&root)
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            (name, code(&fs::read_to_string(path).unwrap()))
        })
        .collect()
}

/// The text without comments, and without the tests at its end: those may look around.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let kept = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    kept.collect::<Vec<_>>().join("\n")
}

fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// Every module named right after `crate::`, also in a group: `use crate::{plan, tools::Port}`.
fn modules_used(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (position, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && depth == 0 && !c.is_whitespace() => {
                        used.push(identifier(&group[position..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            used.push(identifier(rest));
        }
    }
    used
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        after.starts_with("::")
            && !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
    })
}

#[test]
fn imports_run_one_way() {
    let mut violations = Vec::new();
    for (file, code) in sources() {
        let module = module(&file);
        if matches!(module, "main" | "lib") {
            continue;
        }
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == module);
        let (_, allowed) =
            allowed.unwrap_or_else(|| panic!("{file}: add its module to MAY_IMPORT"));
        for used in modules_used(&code) {
            let known = MAY_IMPORT.iter().any(|(name, _)| *name == used);
            let is_forbidden = MAY_NOT_IMPORT
                .iter()
                .any(|(path, modules)| file.starts_with(path) && modules.contains(&used.as_str()));
            let is_allowed = used == module || allowed.contains(&used.as_str());
            if known && (is_forbidden || !is_allowed) {
                violations.push(format!("{file} imports crate::{used}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn only_some_files_use_a_crate() {
    let mut violations = Vec::new();
    for (file, code) in sources() {
        for (name, places) in MAY_USE_CRATE {
            let inside = places.iter().any(|place| file.starts_with(place));
            if !inside && names_crate(&code, name) {
                violations.push(format!("{file} names {name}"));
            }
        }
        let pure = PURE.iter().any(|place| file.starts_with(place));
        if pure && (names_crate(&code, "tokio") || code.contains("SystemTime::now")) {
            violations.push(format!("{file} is not pure"));
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn only_few_files_print() {
    let mut violations = Vec::new();
    for (file, code) in sources() {
        if PRINTERS.contains(&file.as_str()) {
            continue;
        }
        for line in code.lines() {
            let mut line = line.to_owned();
            for harmless in NO_PRINTING {
                line = line.replace(harmless, "");
            }
            if PRINTING.iter().any(|printing| line.contains(printing)) {
                violations.push(format!("{file}: {}", line.trim()));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn mod_files_declare_and_do_not_compute() {
    for (file, code) in sources() {
        if file.ends_with("/mod.rs") && file != "cli/mod.rs" {
            let body = code.matches("\nimpl ").count() + code.matches(" {\n    let ").count();
            assert_eq!(body, 0, "{file} computes; move it to a file with a name");
        }
    }
}

#[test]
fn the_program_file_stays_small() {
    let main = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs")).unwrap();
    assert!(main.lines().count() < 15);
}

/// `support/netplan.rs` starts the program, with a deadline and without the tester's settings.
#[test]
fn one_harness_runs_the_program_in_all_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    // In parts, so that this file does not contain them.
    let starts = [["Command::new(", "NETPLAN"], ["CARGO_BIN", "_EXE"]].map(|parts| parts.concat());
    for file in rust_files(&root) {
        if file.starts_with(root.join("support")) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let found = starts.iter().find(|start| text.contains(*start));
        assert_eq!(found, None, "{}", file.display());
    }
}

#[test]
fn the_checks_can_fail() {
    assert_eq!(
        modules_used("use crate::{plan, tools::{A, B}, cli};"),
        ["plan", "tools", "cli"]
    );
    assert_eq!(modules_used("crate::report::table()"), ["report"]);
    assert!(names_crate("use tokio::net;", "tokio"));
    assert!(!names_crate("my_tokio::net", "tokio"));
    assert_eq!(code("a\n// use crate::cli;\nb"), "a\nb");
}

//! What people install: the scripts of `packaging/` and `.ci/`, and the names that they give the program.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{NETPLAN, Netplan, ROOT};

/// A directory with commands of its own, before those of the system.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("bin")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command that prints a text, and fails with a code.
    fn command(&self, name: &str, says: &str, code: i32) {
        let file = self.path("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\necho '{says}'\nexit {code}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A copy of the program.
    fn netplan(&self, program: impl Into<OsString>) -> Netplan {
        Netplan::in_folder(self.0.path()).program(program)
    }

    /// What the program prints under a name.
    fn said(&self, program: &Path, arguments: &[&str]) -> String {
        let netplan = self.netplan(program).args(arguments);
        netplan.run().expect(0).stdout
    }

    /// Runs one of the repository's scripts.
    fn script(&self, script: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        Command::new(format!("{ROOT}/{script}"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.path("bin").display()),
            )
            .envs(settings.iter().copied())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Installs below `usr/`, with `SHADOW=yes` because the testing machine may have netplan.io.
    fn install(&self, names: &str) -> Output {
        let prefix = self.path("usr");
        let settings = [
            ("PREFIX", prefix.to_str().unwrap()),
            ("NAMES", names),
            ("SHADOW", "yes"),
        ];
        self.script("packaging/install", &[NETPLAN], &settings)
    }

    fn remove(&self) -> Output {
        let prefix = self.path("usr");
        let settings = [("PREFIX", prefix.to_str().unwrap())];
        self.script("packaging/install", &["--remove"], &settings)
    }

    /// All files below `usr/`, without the manual pages of the subcommands.
    fn installed(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.path("usr")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path("usr")).unwrap();
                    files.push(name.to_str().unwrap().to_owned());
                }
            }
        }
        files.retain(|file| !file.contains("kubectl-netplan-"));
        files.sort();
        files
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_installation_is_whole_and_can_be_removed() {
    let place = Place::new();
    let output = place.install("netplan kubectl-netplan");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(
        place.installed(),
        [
            "bin/kubectl-netplan",
            "bin/kubectl_complete-netplan",
            "bin/netplan",
            "share/bash-completion/completions/kubectl-netplan",
            "share/bash-completion/completions/netplan",
            "share/fish/vendor_completions.d/kubectl-netplan.fish",
            "share/fish/vendor_completions.d/netplan.fish",
            "share/man/man1/kubectl-netplan.1",
            "share/zsh/site-functions/_kubectl-netplan",
            "share/zsh/site-functions/_netplan",
        ]
    );
    let page = fs::read_to_string(place.path("usr/share/man/man1/kubectl-netplan-run.1")).unwrap();
    assert!(page.contains("kubectl netplan run"), "{page}");
    for (name, help) in [
        ("netplan", "netplan run"),
        ("kubectl-netplan", "kubectl netplan run"),
    ] {
        let installed = place.path("usr/bin").join(name);
        let run = place.netplan(installed).args(["run", "-h"]);
        run.run().says(&format!("Usage: {help} "));
    }

    // kubectl starts it with the words after `kubectl netplan`, and only if it is executable.
    let completer = Command::new(place.path("usr/bin/kubectl_complete-netplan"))
        .args(["explain", "workers.same_n"])
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", place.path("usr/bin").display()),
        )
        .output()
        .unwrap();
    let candidates = stdout(&completer);
    assert!(
        candidates.starts_with("workers.same_node_as\t") && candidates.ends_with("\n:4\n"),
        "{candidates}{}",
        stderr(&completer)
    );

    let output = place.remove();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(place.installed(), Vec::<String>::new());
    assert_eq!(
        fs::read_dir(place.path("usr/share/man/man1"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn files_of_the_other_netplan_stay_as_they_are() {
    let place = Place::new();
    let theirs = [
        "share/bash-completion/completions/netplan",
        "share/man/man8/netplan.8",
        "share/man/man5/netplan.5",
        "bin/kubectl_complete-netplan",
    ];
    for file in theirs {
        let file = place.path("usr").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "netplan.io").unwrap();
    }
    let output = place.install("netplan kubectl-netplan");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for left in [theirs[0], theirs[3]] {
        let words = format!("{left} as it is: it belongs to another program");
        assert!(stderr(&output).contains(&words), "{}", stderr(&output));
    }
    assert_eq!(code(&place.remove()), 0);
    let mut expected = theirs.map(str::to_owned);
    expected.sort();
    assert_eq!(place.installed(), expected);
    for file in theirs {
        assert_eq!(
            fs::read_to_string(place.path("usr").join(file)).unwrap(),
            "netplan.io"
        );
    }
}

#[test]
fn another_netplan_is_hidden_only_on_request() {
    let place = Place::new();
    place.command("netplan", "this is netplan.io", 0);
    let prefix = place.path("usr");
    let prefix = ("PREFIX", prefix.to_str().unwrap());

    let refused = place.script("packaging/install", &[NETPLAN], &[prefix]);
    assert_eq!(code(&refused), 1);
    for words in [
        "bin/netplan is another program",
        "NAMES=kubectl-netplan",
        "SHADOW=yes",
        "sudo netplan",
    ] {
        assert!(
            stderr(&refused).contains(words),
            "`{words}` is not in {}",
            stderr(&refused)
        );
    }
    assert!(!place.path("usr").exists());

    // It is also not replaced where no shell would look for it.
    fs::create_dir_all(place.path("usr/bin")).unwrap();
    fs::rename(place.path("bin/netplan"), place.path("usr/bin/netplan")).unwrap();
    let refused = place.script("packaging/install", &[NETPLAN], &[prefix]);
    assert_eq!(code(&refused), 1, "{}", stderr(&refused));
    fs::rename(place.path("usr/bin/netplan"), place.path("bin/netplan")).unwrap();

    let second = place.script(
        "packaging/install",
        &[NETPLAN],
        &[prefix, ("NAMES", "kubectl-netplan")],
    );
    assert_eq!(code(&second), 0, "{}", stderr(&second));
    let installed = place.installed();
    assert!(
        !installed.iter().any(|file| file.ends_with("/netplan")),
        "{installed:?}"
    );
    assert_eq!(code(&place.install("netplan")), 0);
    assert!(place.path("usr/bin/netplan").exists());
}

#[test]
fn an_older_netplan_of_ours_is_replaced() {
    let place = Place::new();
    for _ in 0..2 {
        // The second time the first installation is found in PATH, as any other program would be.
        let prefix = place.path("");
        let settings = [
            ("PREFIX", prefix.to_str().unwrap()),
            ("NAMES", "kubectl-netplan netplan"),
        ];
        let output = place.script("packaging/install", &[NETPLAN], &settings);
        if Path::new("/usr/sbin/netplan").exists() {
            assert_eq!(code(&output), 1, "{}", stderr(&output));
        } else {
            assert_eq!(code(&output), 0, "{}", stderr(&output));
        }
    }
}

#[test]
fn a_wrong_name_or_program_is_said() {
    let place = Place::new();
    let output = place.install("netplan kubectl_netplan");
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("unknown name kubectl_netplan"),
        "{}",
        stderr(&output)
    );
    let output = place.script("packaging/install", &["nothing-here"], &[]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("'make build' builds it"),
        "{}",
        stderr(&output)
    );
}

/// The program under the name by which kubectl starts it.
fn plugin(place: &Place) -> PathBuf {
    let plugin = place.path("bin/kubectl-netplan");
    symlink(NETPLAN, &plugin).unwrap();
    plugin
}

#[test]
fn a_plugin_of_kubectl_speaks_of_itself_as_kubectl_does() {
    let place = Place::new();
    let plugin = plugin(&place);
    let help = |arguments: &[&str]| place.said(&plugin, arguments);
    let whole = help(&["--help"]);
    assert!(whole.contains("Usage: kubectl netplan "), "{whole}");
    let commands: Vec<&str> = whole
        .split("Commands:")
        .nth(1)
        .unwrap()
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Lines that continue a description are indented further.
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(
        commands.contains(&"run") && commands.contains(&"man"),
        "{commands:?}"
    );
    for command in &commands {
        let text = help(&[command, "--help"]);
        assert!(
            text.contains(&format!("Usage: kubectl netplan {command}")),
            "{text}"
        );
        // A line may break between the two words.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in &commands {
            for (at, _) in text.match_indices(&format!("netplan {name}")) {
                assert!(
                    text[..at].ends_with("kubectl "),
                    "`netplan {name}` in {text}"
                );
            }
        }
    }

    let wrong = place.netplan(&plugin).args(["run", "no-such-plan.yaml"]);
    wrong
        .run()
        .expect(2)
        .says("`kubectl netplan init no-such-plan.yaml`");
    let no_command = place.netplan(&plugin).args(["my-plan.yaml"]);
    no_command
        .run()
        .expect(2)
        .says("`kubectl netplan run my-plan.yaml`");
    // Files of these names are netplan.io's, or those of the other name.
    let text = help(&["completions", "--help"]) + &help(&["man", "--help"]);
    for file in ["/netplan\n", "/_netplan\n", "/netplan.fish", "`netplan"] {
        assert!(!text.contains(file), "`{file}` is in {text}");
    }
}

#[test]
fn pages_and_completions_have_the_name_that_the_program_was_started_under() {
    let place = Place::new();
    let plugin = plugin(&place);
    let ran = |arguments: &[&str]| place.said(&plugin, arguments);
    ran(&["man", "--output", "man"]);
    for entry in fs::read_dir(place.path("man")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with("kubectl-netplan"),
            "{name} is a page of netplan.io's name"
        );
    }
    let bash = ran(&["completions", "bash"]);
    let function = "-F _clap_complete_kubectl_netplan kubectl-netplan";
    assert!(bash.contains(function), "{bash}");
    // Functions of this name are netplan.io's.
    assert!(
        !bash.lines().any(|line| line.starts_with("_netplan")),
        "{bash}"
    );
    assert!(ran(&["completions", "zsh"]).starts_with("#compdef kubectl-netplan"));
    assert!(ran(&["completions", "fish"]).contains("--command kubectl-netplan"));
}

#[test]
fn the_manifest_for_krew_names_the_archive_that_is_made_with_it() {
    let place = Place::new();
    let made = |url| {
        let settings = [("VERSION", "1.2.3"), ("RELEASE_URL", url)];
        // A small program: the archive of a debug build would take a minute.
        place.script(
            "packaging/krew/release",
            &["/usr/bin/env", "out"],
            &settings,
        )
    };
    for url in ["", "http://example.com", "https://example.com/a|b"] {
        let refused = made(url);
        assert_eq!(code(&refused), 1, "{url}");
        assert!(
            stderr(&refused).contains("RELEASE_URL"),
            "{}",
            stderr(&refused)
        );
    }
    let output = made("https://example.com/releases/");
    assert_eq!(code(&output), 0, "{}", stderr(&output));

    let manifest = fs::read_to_string(place.path("out/netplan.yaml")).unwrap();
    assert!(!manifest.contains("{{"), "{manifest}");
    let manifest: serde_json::Value = serde_yaml::from_str(&manifest).unwrap();
    assert_eq!(manifest["metadata"]["name"], "netplan");
    assert_eq!(manifest["spec"]["version"], "v1.2.3");
    let platform = &manifest["spec"]["platforms"][0];
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    assert_eq!(platform["selector"]["matchLabels"]["arch"], arch);
    let name = format!("kubectl-netplan_v1.2.3_linux_{arch}.tar.gz");
    assert_eq!(
        platform["uri"],
        format!("https://example.com/releases/{name}")
    );

    let archive = place.path("out").join(&name);
    let sum = Command::new("sha256sum").arg(&archive).output().unwrap();
    assert_eq!(
        stdout(&sum).split_whitespace().next().unwrap(),
        platform["sha256"]
    );
    // krew asks for the licence beside the program.
    let list = Command::new("tar")
        .arg("-tzf")
        .arg(&archive)
        .output()
        .unwrap();
    assert_eq!(stdout(&list), "kubectl-netplan\nLICENSE\n");
    for file in platform["files"].as_array().unwrap() {
        assert!(
            stdout(&list).contains(file["from"].as_str().unwrap()),
            "{file}"
        );
    }
}

#[test]
fn a_toolchain_that_cannot_build_is_named_before_cargo_fails() {
    let place = Place::new();
    let check = |arguments: &[&str]| place.script(".ci/toolchain", arguments, &[]);
    // The system's own cargo, if there is one, must not answer.
    if !["/usr/bin/cargo", "/bin/cargo"]
        .iter()
        .any(|file| Path::new(file).exists())
    {
        let missing = check(&[]);
        assert_eq!(code(&missing), 1);
        assert!(
            stderr(&missing).contains("cargo is missing; install Rust 1."),
            "{}",
            stderr(&missing)
        );
    }

    place.command("cargo", "cargo 1.63.0", 0);
    for (version, old) in [
        (
            "1.63.0 (4b91a6ea7 2022-08-08) (built from a source tarball)",
            true,
        ),
        ("1.89.0 (29483883e 2025-08-04)", true),
        ("0.99.0", true),
        ("1.90.0 (1159e78c4 2025-09-14)", false),
        ("1.100.0-nightly (1159e78c4 2027-09-14)", false),
        ("2.0.0", false),
    ] {
        place.command("rustc", &format!("rustc {version}"), 0);
        let output = check(&[]);
        assert_eq!(
            code(&output),
            i32::from(old),
            "{version}: {}",
            stderr(&output)
        );
        assert_eq!(
            stderr(&output).contains("is too old: netplan needs 1.90"),
            old,
            "{version}"
        );
    }

    place.command("rustc", "error: toolchain stable is not installed", 1);
    let broken = check(&[]);
    assert_eq!(code(&broken), 1);
    assert!(
        stderr(&broken).contains("rustup toolchain install stable"),
        "{}",
        stderr(&broken)
    );

    place.command("rustc", "rustc 1.95.0", 0);
    place.command("cargo", "error: no such command", 101);
    assert_eq!(code(&check(&[])), 0);
    let component = check(&["test"]);
    assert_eq!(code(&component), 1);
    assert!(
        stderr(&component).contains("rustup component add rustfmt"),
        "{}",
        stderr(&component)
    );
}

/// A channel with components, or another one, would send each cargo command to the network.
#[test]
fn the_toolchain_file_asks_for_nothing_from_the_network() {
    let file = fs::read_to_string(format!("{ROOT}/rust-toolchain.toml")).unwrap();
    let settings: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(settings, ["[toolchain]", "channel = \"stable\""]);
}

#[test]
fn help_names_every_target() {
    let makefile = fs::read_to_string(format!("{ROOT}/Makefile")).unwrap();
    let phony = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY: "));
    for target in phony.unwrap().split(' ').filter(|target| *target != "help") {
        assert!(
            makefile.contains(&format!("@echo \"make {target} ")),
            "`make help` does not name {target}"
        );
    }
}

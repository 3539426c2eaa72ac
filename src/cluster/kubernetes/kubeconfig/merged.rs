//! The contents of several kubeconfig files as one, and the context that counts.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};

use super::files::{Text, list};
use crate::diag::Problem;
use crate::diag::{did_you_mean, quote};

/// A person reads no longer list of contexts.
const SHOWN_CONTEXTS: usize = 20;

/// Something that a file names.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    pub name: String,
    pub value: T,
    pub file: PathBuf,
}

/// What all files say: of entries with the same name the first counts.
#[derive(Clone, Debug, Default)]
pub(in crate::cluster::kubernetes) struct MergedConfig {
    files: Vec<PathBuf>,
    current: Option<String>,
    contexts: Vec<Entry<Context>>,
    clusters: Vec<Entry<Cluster>>,
    users: Vec<Entry<AuthInfo>>,
}

/// A context with what it names.
#[derive(Clone, Debug)]
pub(in crate::cluster::kubernetes) struct Selected {
    pub(super) context: Entry<Context>,
    pub(super) cluster: Entry<Cluster>,
    /// A user that no file has is nobody, as with kubectl.
    pub(super) user: Option<Entry<AuthInfo>>,
}

impl MergedConfig {
    /// Reads the files' texts.
    ///
    /// # Errors
    /// Every text that is not a kubeconfig.
    pub fn new(texts: &[Text]) -> Result<Self, Problem> {
        let mut merged = Self::default();
        let mut wrong = Vec::new();
        for text in texts {
            match parse(text) {
                Ok(config) => merged.add(&text.file, config),
                Err(why) => wrong.push(format!("`{}` {why}", text.file.display())),
            }
        }
        if wrong.is_empty() {
            return Ok(merged);
        }
        Err(Problem::without_place(wrong.join("; "))
            .help("fix the kubeconfig, or name another one with `--kubeconfig`"))
    }

    fn add(&mut self, file: &Path, mut config: Kubeconfig) {
        self.files.push(file.to_path_buf());
        let current = config.current_context.take();
        let current = current.filter(|name| !name.is_empty());
        self.current = self.current.take().or(current);
        let folder = file.parent().unwrap_or(Path::new(""));
        let contexts = config.contexts.into_iter();
        let contexts = contexts.map(|named| (named.name, named.context.unwrap_or_default()));
        append(&mut self.contexts, file, contexts);
        let clusters = config.clusters.into_iter().map(|named| {
            let mut cluster = named.cluster.unwrap_or_default();
            resolve(folder, &mut cluster.certificate_authority);
            (named.name, cluster)
        });
        append(&mut self.clusters, file, clusters);
        let users = config.auth_infos.into_iter().map(|named| {
            let mut user = named.auth_info.unwrap_or_default();
            resolve(folder, &mut user.client_certificate);
            resolve(folder, &mut user.client_key);
            resolve(folder, &mut user.token_file);
            if let Some(exec) = &mut user.exec {
                // A bare name is looked up in PATH.
                if exec
                    .command
                    .as_ref()
                    .is_some_and(|command| command.contains('/'))
                {
                    resolve(folder, &mut exec.command);
                }
            }
            (named.name, user)
        });
        append(&mut self.users, file, users);
    }

    /// Whether no cluster is configured, as after `kind delete cluster`.
    pub fn is_empty(&self) -> bool {
        self.contexts.is_empty() && self.clusters.is_empty() && self.current.is_none()
    }

    /// The names of all contexts.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.contexts.iter().map(|entry| entry.name.as_str())
    }

    /// Whether there are files at all.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// The context that is `wanted`, else the current one.
    ///
    /// # Errors
    /// There is no such context, or it names a cluster that no file has.
    pub fn select(&self, wanted: Option<&str>) -> Result<Selected, Problem> {
        let files = list(&self.files);
        let Some(name) = wanted.or(self.current.as_deref()) else {
            let what = if self.contexts.is_empty() {
                format!("there is no context in {files}")
            } else {
                format!("no context is current in {files}")
            };
            return Err(Problem::without_place(what).help(self.context_help()));
        };
        let Some(context) = find(&self.contexts, name) else {
            let names: Vec<&str> = self.contexts.iter().map(|one| one.name.as_str()).collect();
            let which = match wanted {
                Some(_) => format!("there is no context `{name}` in {files}"),
                None => format!("the current context `{name}` is not in {files}"),
            };
            let help = match did_you_mean(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? {}", self.context_help()),
                None => self.context_help(),
            };
            return Err(Problem::without_place(which).help(help));
        };
        let cluster = &context.value.cluster;
        let Some(cluster) = find(&self.clusters, cluster) else {
            return Err(Problem::without_place(format!(
                "context `{name}` of `{}` names the cluster `{cluster}`, which is not in {files}",
                context.file.display()
            ))
            .help(format!(
                "add the cluster to the file; {}",
                self.context_help()
            )));
        };
        let user = context.value.user.as_deref().unwrap_or_default();
        Ok(Selected {
            context: context.clone(),
            cluster: cluster.clone(),
            user: find(&self.users, user).cloned(),
        })
    }

    fn context_help(&self) -> String {
        let names = self.contexts.iter().map(|one| format!("`{}`", one.name));
        let shown: Vec<String> = names.take(SHOWN_CONTEXTS).collect();
        let more = self.contexts.len() - shown.len();
        match (shown.as_slice(), more) {
            ([], _) => "add a context, or name another kubeconfig with `--kubeconfig`".to_owned(),
            (_, 0) => format!("name one with `--context`: {}", shown.join(", ")),
            (_, more) => format!(
                "name one with `--context`: {} and {more} more",
                shown.join(", ")
            ),
        }
    }
}

/// The text as a kubeconfig, or why it is none.
fn parse(text: &Text) -> Result<Kubeconfig, String> {
    let config = Kubeconfig::from_yaml(&text.text).map_err(|error| {
        // The reader's further lines show the text, in which secrets may be.
        let words = error.to_string();
        let line = words.lines().next().unwrap_or_default().to_owned();
        format!("is not a kubeconfig: {line}")
    })?;
    let named = |value: &Option<String>, right: &str, what: &str| match value.as_deref() {
        None | Some("") => Ok(()),
        Some(value) if value == right => Ok(()),
        Some(value) => Err(format!(
            "is not a kubeconfig: its `{what}` is `{value}`, not `{right}`"
        )),
    };
    named(&config.kind, "Config", "kind")?;
    named(&config.api_version, "v1", "apiVersion")?;
    let is_other = config.clusters.is_empty()
        && config.contexts.is_empty()
        && config.auth_infos.is_empty()
        && config.current_context.is_none()
        && config.kind.is_none();
    if let Some(key) = config.other.keys().next().filter(|_| is_other) {
        return Err(format!(
            "is not a kubeconfig: it has no `clusters` and no `contexts`, but {}",
            quote(key)
        ));
    }
    let duplicate = first_duplicate(config.contexts.iter().map(|one| one.name.as_str()))
        .map(|name| ("context", name))
        .or_else(|| {
            first_duplicate(config.clusters.iter().map(|one| one.name.as_str()))
                .map(|name| ("cluster", name))
        })
        .or_else(|| {
            first_duplicate(config.auth_infos.iter().map(|one| one.name.as_str()))
                .map(|name| ("user", name))
        });
    match duplicate {
        Some((kind, name)) => Err(format!("has the {kind} `{name}` twice")),
        None => Ok(config),
    }
}

/// The first name that comes a second time.
fn first_duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = names;
    names.find(|name| !seen.insert(*name))
}

fn append<T>(entries: &mut Vec<Entry<T>>, file: &Path, new: impl Iterator<Item = (String, T)>) {
    for (name, value) in new {
        if find(entries, &name).is_none() {
            entries.push(Entry {
                name,
                value,
                file: file.to_path_buf(),
            });
        }
    }
}

fn find<'a, T>(entries: &'a [Entry<T>], name: &str) -> Option<&'a Entry<T>> {
    entries.iter().find(|entry| entry.name == name)
}

/// A relative path is one from the file's folder; an empty one is none.
fn resolve(folder: &Path, path: &mut Option<String>) {
    *path = path.take().filter(|path| !path.is_empty()).map(|path| {
        let whole = folder.join(&path);
        whole.to_str().map_or(path, str::to_owned)
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_kubeconfig_or_refused(
            any in any::<String>(),
            near in "(kind: Config\n)?((clusters|contexts|users|current-context): ?(null|''|x|\\[[a-z{}:, ]{0,12}\\]|\n- name: [a-z]?)\n){0,4}",
        ) {
            for content in [any, near] {
                if let Ok(merged) = MergedConfig::new(&[text("/k/1", &content)]) {
                    let _ = (merged.select(None), merged.select(Some("x")));
                }
            }
        }
    }

    fn text(file: &str, text: &str) -> Text {
        Text {
            file: file.into(),
            text: text.to_owned(),
        }
    }

    /// A kubeconfig whose entries are all called `name`, with this server.
    fn kubeconfig(name: &str, server: &str, current: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Config, current-context: '{current}',
              clusters: [{{name: {name}, cluster: {{server: '{server}', certificate-authority: ca.crt}}}}],
              contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}],
              users: [{{name: {name}, user: {{tokenFile: /t, exec: {{command: ./login}}}}}}]}}"
        )
    }

    fn server(merged: &MergedConfig, context: Option<&str>) -> Result<String, String> {
        let selected = merged.select(context);
        let selected = selected.map_err(|problem| problem.to_string())?;
        Ok(selected.cluster.value.server.unwrap_or_default())
    }

    #[test]
    fn of_two_entries_with_a_name_the_first_counts() {
        let merged = MergedConfig::new(&[
            text("/k/1", &kubeconfig("a", "https://one", "")),
            text("/k/2", &kubeconfig("a", "https://two", "b")),
            text("/k/3", &kubeconfig("b", "https://three", "a")),
        ]);
        let merged = merged.unwrap();
        assert_eq!(server(&merged, Some("a")), Ok("https://one".to_owned()));
        // An empty current context sets none.
        assert_eq!(server(&merged, None), Ok("https://three".to_owned()));
    }

    #[test]
    fn paths_are_relative_to_their_file() {
        let merged =
            MergedConfig::new(&[text("/k/dir/1", &kubeconfig("a", "https://one", "a"))]).unwrap();
        let selected = merged.select(None).unwrap();
        let ca = selected.cluster.value.certificate_authority;
        assert_eq!(ca.as_deref(), Some("/k/dir/ca.crt"));
        let user = selected.user.unwrap().value;
        assert_eq!(user.token_file.as_deref(), Some("/t"));
        let command = user.exec.unwrap().command;
        assert_eq!(command.as_deref(), Some("/k/dir/./login"));
    }

    #[test]
    fn what_is_no_kubeconfig_is_named() {
        for (content, says) in [
            (
                "kind: Pod",
                "`/k/1` is not a kubeconfig: its `kind` is `Pod`, not `Config`",
            ),
            ("apiVersion: v2", "its `apiVersion` is `v2`, not `v1`"),
            (
                "version: 1",
                "has no `clusters` and no `contexts`, but `version`",
            ),
            ("contexts: 7", "`/k/1` is not a kubeconfig: "),
            ("[1, 2]", "`/k/1` is not a kubeconfig: "),
            (
                "clusters: [{name: a}, {name: a}]",
                "`/k/1` has the cluster `a` twice",
            ),
        ] {
            let problem = MergedConfig::new(&[text("/k/1", content)]).unwrap_err();
            assert!(problem.what.contains(says), "{content}: {problem}");
            assert!(!problem.what.contains('\n'), "{problem}");
        }
        for nothing in ["", "# nothing\n", "{}", "kind: Config\nclusters: null\n"] {
            let merged = MergedConfig::new(&[text("/k/1", nothing)]).unwrap();
            assert!(merged.is_empty() && merged.has_files(), "{nothing}");
        }
    }

    #[test]
    fn a_context_that_is_missing_comes_with_those_there_are() {
        let merged = |current: &str| {
            let first = text("/k/1", &kubeconfig("kind-dev", "https://one", current));
            MergedConfig::new(&[first, text("/k/2", &kubeconfig("prod", "https://two", ""))])
                .unwrap()
        };
        for (current, wanted, says) in [
            (
                "",
                None,
                "no context is current in `/k/1`, `/k/2`; name one with `--context`: `kind-dev`, `prod`",
            ),
            (
                "gone",
                None,
                "the current context `gone` is not in `/k/1`, `/k/2`; name one",
            ),
            (
                "",
                Some("kind-dv"),
                "no context `kind-dv` in `/k/1`, `/k/2`; did you mean `kind-dev`? name one",
            ),
        ] {
            let problem = merged(current).select(wanted).unwrap_err().to_string();
            assert!(problem.contains(says), "{problem}");
        }
        let dangling =
            "{contexts: [{name: a, context: {cluster: b, user: c}}], current-context: a}";
        let problem = MergedConfig::new(&[text("/k/1", dangling)]).unwrap();
        let problem = problem.select(None).unwrap_err().to_string();
        assert!(
            problem.contains("names the cluster `b`, which is not in `/k/1`"),
            "{problem}"
        );
    }
}

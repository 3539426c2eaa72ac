//! Where templates come from: embedded in the binary, overridden by a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diag::{did_you_mean, one_of};
use crate::files;
use crate::plan::template_bounds::LONGEST_TEMPLATE_BYTES;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template, in the order of its objects in a rendered run.
const EMBEDDED: &[(&str, &str)] = embedded![
    "namespace.yaml.j2",
    "orchestrator-networkpolicy.yaml.j2",
    "worker-networkpolicy.yaml.j2",
    "configmap.yaml.j2",
    "journal-configmap.yaml.j2",
    "secret.yaml.j2",
    "orchestrator-service.yaml.j2",
    "worker-service.yaml.j2",
    "orchestrator-job.yaml.j2",
    "worker-job.yaml.j2",
];

/// The templates of a run.
#[derive(Clone, Debug)]
pub struct Templates {
    texts: BTreeMap<&'static str, String>,
}

/// What is wrong with a template or with what it yields.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("cannot read the template folder `{}`: {error}", .folder.display())]
    Folder {
        folder: PathBuf,
        error: std::io::Error,
    },
    #[error("cannot read the template `{}`: {error}", .file.display())]
    File {
        file: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "`{}` is not a template of netplan, so nothing would use it{}; rename it to {}",
        .file.display(), .hint, .known
    )]
    UnknownTemplate {
        file: PathBuf,
        hint: String,
        known: String,
    },
    /// `place` is a picture of the place, with a line break before it; may be empty.
    #[error("the template `{template}` does not render: {message}{place}")]
    Template {
        template: String,
        message: String,
        place: String,
    },
    /// `place` is one of what the template yields.
    #[error("the template `{template}` does not yield one Kubernetes object: {message}{place}")]
    NoObject {
        template: String,
        message: String,
        place: String,
    },
}

impl Templates {
    /// The built-in templates.
    #[must_use]
    pub fn embedded() -> Self {
        let texts = EMBEDDED
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()))
            .collect();
        Self { texts }
    }

    /// The embedded templates, with those of `folder` instead of the built-in ones of the same name.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, or a file's name is that of no template.
    pub fn overridden_by(folder: &Path) -> Result<Self, RenderError> {
        let mut templates = Self::embedded();
        let failed = |error| RenderError::Folder {
            folder: folder.to_owned(),
            error,
        };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_none_or(|extension| extension != "j2") {
                continue;
            }
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy())
                .unwrap_or_default();
            let Some((known, _)) = EMBEDDED.iter().find(|(known, _)| *known == name) else {
                return Err(unknown(&file, &name));
            };
            let text = files::read_text(&file, LONGEST_TEMPLATE_BYTES as u64);
            let text = text.map_err(|error| RenderError::File {
                file: file.clone(),
                error,
            })?;
            templates.texts.insert(known, text);
        }
        Ok(templates)
    }

    /// The text of a template; the names are those of [`Templates::names`].
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// Those that are not the built-in ones, by name.
    pub(super) fn overridden(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own = EMBEDDED
            .iter()
            .map(|&(name, built_in)| (name, built_in, self.text(name)));
        own.filter(|(_, built_in, text)| built_in != text)
            .map(|(name, _, text)| (name, text))
    }

    /// All template names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }
}

fn unknown(file: &Path, name: &str) -> RenderError {
    RenderError::UnknownTemplate {
        file: file.to_owned(),
        hint: did_you_mean(name, Templates::names())
            .map(|known| format!(" (did you mean `{known}`?)"))
            .unwrap_or_default(),
        known: one_of(Templates::names()),
    }
}

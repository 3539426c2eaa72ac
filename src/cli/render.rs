//! `netplan render`: the manifests, and nothing else.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::error::{CliError, Exit};
use super::prepare::PrepareArgs;
use super::printer;
use crate::render::Manifest;

/// Print the manifests of a run, or write a file each to a folder
///
/// This is exactly what a run applies. Each time the run has another id, and other certificates.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan render plans/default.yaml
  netplan render plans/default.yaml --output manifests/
  netplan render plans/default.yaml --templates my-templates/")]
pub(super) struct RenderArgs {
    #[command(flatten)]
    prepare: PrepareArgs,

    /// The namespace [default: the plan's]
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,

    /// Write a file for each object into this folder, which is made if need be; `-` is stdout
    #[arg(long, value_name = "DIR", default_value = "-")]
    output: PathBuf,
}

pub(super) fn execute(args: &RenderArgs) -> Result<Exit, CliError> {
    let prepared = args.prepare.prepare(args.namespace.as_deref())?;
    if args.output.as_os_str() == "-" {
        printer::results(&stream(&prepared.manifests))?;
    } else {
        let files = write(&prepared.manifests, &args.output)?;
        printer::note(&format!(
            "wrote {files} manifests to `{}`",
            args.output.display()
        ));
    }
    Ok(Exit::Well)
}

/// All manifests as one YAML stream.
pub(super) fn stream(manifests: &[Manifest]) -> String {
    let mut stream = String::new();
    for manifest in manifests {
        stream.push_str("---\n");
        stream.push_str(&manifest.text);
    }
    stream
}

/// Numbered, so that `kubectl apply -f DIR` applies them in their order.
fn write(manifests: &[Manifest], folder: &Path) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    for (index, manifest) in manifests.iter().enumerate() {
        let kind = manifest.kind().to_lowercase();
        let file = folder.join(format!("{:02}-{kind}-{}.yaml", index + 1, manifest.name()));
        std::fs::write(&file, &manifest.text)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(manifests.len())
}

//! `netplan render`: the manifests, and nothing else.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::cli::during;
use crate::cli::error::{CliError, Exit};
use crate::cli::measure::prepare::PrepareArgs;
use crate::cli::measure::target::namespace;
use crate::cli::terminal::printer;
use crate::files::{self, Durability};
use crate::render::{ChartFile, Manifest};

/// Print the manifests of a run, or write a file each to a folder
///
/// This is exactly what a run applies to an existing namespace. The run's id and certificates are new each time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan render plans/default.yaml
  netplan render plans/default.yaml | kubectl apply -f -
  netplan render plans/default.yaml --create-namespace
  netplan render plans/default.yaml --output manifests/
  netplan render plans/default.yaml --helm chart/
  netplan render plans/default.yaml --templates my-templates/")]
pub(in crate::cli) struct RenderArgs {
    #[command(flatten)]
    prepare: PrepareArgs,

    /// The namespace [default: the plan's]
    #[arg(long, value_name = "NAME", value_parser = namespace, conflicts_with = "helm")]
    namespace: Option<String>,

    /// Also render the Namespace; deleting the manifests then removes it with everything in it
    #[arg(long, conflicts_with = "helm")]
    create_namespace: bool,

    /// Write a file for each object into this folder, which is created if missing; `-` is stdout
    #[arg(long, value_name = "DIR", default_value = "-")]
    output: PathBuf,

    /// Write a Helm chart into this folder instead: each installation starts a run in the release's namespace, or one
    /// at each time of a schedule
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    helm: Option<PathBuf>,
}

pub(in crate::cli) fn execute(args: &RenderArgs) -> Result<Exit, CliError> {
    if let Some(folder) = &args.helm {
        return write_chart(folder, &args.prepare.chart()?);
    }
    let mut prepared = args.prepare.prepare(args.namespace.as_deref())?;
    during::needs_command_line(&prepared.plan, "render")?;
    prepared.patch_pods()?;
    if !args.create_namespace {
        // `kubectl apply` would change the labels of an existing one, and `kubectl delete` would remove it.
        prepared
            .manifests
            .retain(|manifest| manifest.kind() != "Namespace");
    }
    if args.output.as_os_str() == "-" {
        printer::results(&stream(&prepared.manifests))?;
    } else {
        // Numbered, so that `kubectl apply -f DIR` applies them in their order.
        for (index, manifest) in prepared.manifests.iter().enumerate() {
            let kind = manifest.kind().to_lowercase();
            let name = format!("{:02}-{kind}-{}.yaml", index + 1, manifest.name());
            write(&args.output.join(name), &manifest.text, kind == "secret")?;
        }
        printer::note(&format!(
            "wrote {} manifests to `{}`",
            prepared.manifests.len(),
            args.output.display()
        ));
    }
    Ok(Exit::Well)
}

fn write_chart(folder: &Path, chart: &[ChartFile]) -> Result<Exit, CliError> {
    for file in chart {
        write(&folder.join(&file.path), &file.text, false)?;
    }
    printer::note(&format!(
        "wrote a chart of {} files; try it: helm install bench {}",
        chart.len(),
        folder.display()
    ));
    Ok(Exit::Well)
}

/// All manifests as one YAML stream.
pub(in crate::cli) fn stream(manifests: &[Manifest]) -> String {
    let mut stream = String::new();
    for manifest in manifests {
        stream.push_str("---\n");
        stream.push_str(&manifest.text);
    }
    stream
}

/// Writes a file, and the folders above it. A private one is for its owner only, also where another
/// file had its name.
fn write(file: &Path, text: &str, private: bool) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mode = if private { 0o600 } else { 0o666 };
        files::replace(file, mode, Durability::Unsynced, |file| {
            file.write_all(text.as_bytes())
        })
    };
    written().with_context(|| format!("cannot write `{}`", file.display()))
}

//! How long a person waits for the import of a folder of iperf3's documents, and the memory that it takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::peak;
use super::table::{Goal, Unit, figure};

/// The recorded documents of one run, and how many of each it has: as large as those of 8 cells of the published
/// comparison, of which half have 8 streams.
const DOCUMENTS: [(&str, usize); 4] = [
    ("calico/1/dtm.json.gz", 4),
    ("calico/1/dts.json.gz", 1),
    ("calico/1/sts.json.gz", 1),
    ("calico/1/dus.json.gz", 2),
];
const CELLS: usize = 8;
/// Files, and seconds at most.
const SIZES: [(usize, f64); 2] = [(96, 1.0), (540, 5.0)];
const ROUNDS: usize = 5;

pub fn measure() -> anyhow::Result<()> {
    for (files, goal) in SIZES {
        let folder = tempfile::tempdir()?;
        let source = folder.path().join("source");
        write(&source, files)?;
        let (mut seconds, mut megabytes) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let mut netplan = Command::new(env!("CARGO_BIN_EXE_netplan"));
            let output = folder.path().join(format!("out-{round}"));
            netplan
                .arg("import")
                .arg(&source)
                .arg("--output")
                .arg(output);
            let (took, peak) = peak::run(&mut netplan)?;
            seconds.push(took);
            megabytes.push(peak);
        }
        let how = "`netplan import` of gzipped documents of a published comparison, files by files repeated";
        let what = format!("import of {files} documents of iperf3");
        figure(&what, seconds, Unit("s", 2), Goal::AtMost(goal), how)?;
        figure(
            "memory for it",
            megabytes,
            Unit("MB", 0),
            Goal::None,
            "its peak",
        )?;
    }
    Ok(())
}

/// Writes so many documents as `SETUP/RUN/CELL.json.gz`, three runs a setup.
fn write(source: &Path, files: usize) -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cni-2024");
    let copies = DOCUMENTS
        .iter()
        .flat_map(|(name, count)| std::iter::repeat_n(name, *count));
    for (file, name) in copies.cycle().take(files).enumerate() {
        let (run, cell) = (file / CELLS, file % CELLS);
        let folder = source.join(format!("setup-{}/{}", run / 3, run % 3 + 1));
        fs::create_dir_all(&folder)?;
        let from = data.join(name);
        fs::copy(&from, folder.join(format!("cell-{cell}.json.gz")))
            .with_context(|| format!("cannot copy `{}`", from.display()))?;
    }
    Ok(())
}

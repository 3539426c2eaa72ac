//! When no answer arrived: the gaps of each path and kind of traffic, with a timeline.

use jiff::SignedDuration;

use super::block::{Block, Column, Meaning, Paragraph, Span, Table};
use super::headline::{others, path_name, varying};
use super::timeline::{LEGEND, timeline};
use crate::plan::Test;
use crate::report::{CellReport, Report};
use crate::results::Sample;
use crate::results::mark::Mark;
use crate::tools::{Fate, Gap, Gaps, Outages, Traffic, name};

/// A mark and a sample are of one go if its times differ by less: the offset of a mark is rounded.
const SAME_GO: SignedDuration = SignedDuration::from_millis(5);
/// Gaps that are told one by one, of each row.
const TOLD: usize = 3;

/// Of one cell and kind of traffic.
struct Row<'a> {
    cell: &'a CellReport,
    traffic: Traffic,
    /// With the sample that has them, of each sample with any.
    gaps: Vec<(&'a Sample, &'a Gaps)>,
}

/// The gaps of a test that looks for them; nothing of other tests.
pub fn blocks(report: &Report, test: &Test, cells: &[&CellReport]) -> Vec<Block> {
    let looks = |cell: &&&CellReport| cell.measured(name::OUTAGE_LONGEST_US).is_some();
    let measured: Vec<&CellReport> = cells.iter().filter(looks).copied().collect();
    if measured.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Row<'_>> = measured.iter().flat_map(|cell| rows(cell)).collect();
    if rows.is_empty() {
        let good = "No gap: answers arrived all the time.";
        return vec![Block::paragraph(Meaning::Good, good)];
    }
    let lasted_us = u64::try_from(test.timing.duration.0.as_micros()).unwrap_or(u64::MAX);
    let paths = rows.iter().map(|row| path_name(report, row.cell.row));
    let mut columns = vec![Column::words("path", paths.map(str::to_owned))];
    let varying = varying(cells);
    if !varying.is_empty() {
        let with = rows.iter().map(|row| others(row.cell, &varying));
        columns.push(Column::words("with", with));
    }
    let traffic = rows.iter().map(|row| row.traffic.title().to_owned());
    columns.push(Column::words("traffic", traffic));
    let keys = columns.len();
    let sum = |row: &Row<'_>, of: fn(&Gaps) -> u64| row.gaps.iter().map(|(_, gaps)| of(gaps)).sum();
    let counts = rows.iter().map(|row| {
        let count: u64 = sum(row, |gaps| gaps.count);
        count.to_string()
    });
    columns.push(Column::figures("gaps", "", counts));
    let longest = rows.iter().map(|row| {
        let gaps = row.gaps.iter().map(|(_, gaps)| gaps.longest_us);
        ms(gaps.max().unwrap_or(0))
    });
    columns.push(Column::figures("longest", "ms", longest));
    let totals = rows.iter().map(|row| ms(sum(row, |gaps| gaps.total_us)));
    columns.push(Column::figures("all", "ms", totals));
    let fates = rows.iter().map(|row| connections(&row.gaps));
    columns.push(Column::words("connection", fates));
    let mut has_marks = false;
    let lines = rows.iter().map(|row| {
        let worst = row.gaps.iter().max_by_key(|(_, gaps)| gaps.total_us);
        worst.map_or_else(String::new, |(sample, gaps)| {
            let marks_us = marks_us(report, test, row.cell, sample);
            has_marks |= !marks_us.is_empty();
            timeline(&gaps.listed, &marks_us, lasted_us)
        })
    });
    let lines: Vec<String> = lines.collect();
    let over = format!("0 s to {}", test.timing.duration);
    columns.push(Column::words(&over, lines));
    let caption = "Gaps: when no answer arrived";
    vec![Block::Table(Table {
        caption: if has_marks {
            format!("{caption} ({LEGEND})")
        } else {
            caption.to_owned()
        },
        columns,
        keys,
        details: rows.iter().map(details).collect(),
        ..Table::default()
    })]
}

fn rows(cell: &CellReport) -> Vec<Row<'_>> {
    let kinds = [Traffic::Udp, Traffic::Tcp, Traffic::Connect];
    let rows = kinds.into_iter().map(|traffic| {
        let of_kind = |sample: &'_ Sample| -> Option<usize> {
            let mut outages = sample.outages.iter();
            outages.position(|outages| outages.traffic == traffic)
        };
        let gaps = cell.counted().filter_map(|sample| {
            let outages: &Outages = sample.outages.get(of_kind(sample)?)?;
            Some((sample, &outages.gaps))
        });
        Row {
            cell,
            traffic,
            gaps: gaps.collect(),
        }
    });
    rows.filter(|row| !row.gaps.is_empty()).collect()
}

/// Milliseconds, as people write them.
fn ms(us: u64) -> String {
    format!("{:.0}", us as f64 / 1e3)
}

/// What became of the connection: `2 survived, 1 reset`. Empty where none was kept.
fn connections(gaps: &[(&Sample, &Gaps)]) -> String {
    let listed = gaps.iter().flat_map(|(_, gaps)| &gaps.listed);
    let fates: Vec<Fate> = listed.filter_map(|gap| gap.connection).collect();
    let counted = Fate::ALL.into_iter().filter_map(|fate| {
        let count = fates.iter().filter(|other| **other == fate).count();
        (count > 0).then(|| format!("{count} {}", fate.word()))
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// When something was done while a sample ran, counted from the begin of its measurement.
fn marks_us(report: &Report, test: &Test, cell: &CellReport, sample: &Sample) -> Vec<u64> {
    let variant = report
        .row(cell.row)
        .and_then(|(row, ..)| report.plan.variant_name(row.variant()));
    // An attempt that failed before has marks of the same sample.
    let is_of_go = |mark: &&Mark| {
        let offset = SignedDuration::try_from_secs_f64(mark.offset_s).unwrap_or_default();
        let go = mark.happened.checked_sub(offset);
        go.is_ok_and(|go| go.duration_since(sample.started).abs() < SAME_GO)
    };
    let of_sample = |mark: &&Mark| {
        mark.test == test.name
            && mark.variant.as_deref() == variant
            && mark.params == cell.params
            && mark.sample == sample.sample
    };
    let marks = report.marks.iter().filter(of_sample).filter(is_of_go);
    let warmup = SignedDuration::try_from(test.timing.warmup.0).unwrap_or_default();
    let after = marks.filter_map(|mark| {
        let offset = SignedDuration::try_from_secs_f64(mark.offset_s).ok()?;
        u64::try_from(offset.checked_sub(warmup)?.as_micros()).ok()
    });
    after.collect()
}

/// The longest gaps of a row, each with its begin.
fn details(row: &Row<'_>) -> Vec<Paragraph> {
    let several = row.cell.counted().nth(1).is_some();
    let all = row.gaps.iter().flat_map(|(sample, gaps)| {
        let gaps = gaps.listed.iter();
        gaps.map(move |gap| (sample.sample, gap))
    });
    let mut all: Vec<(u32, &Gap)> = all.collect();
    all.sort_by_key(|(_, gap)| std::cmp::Reverse(gap.length_us));
    all.truncate(TOLD);
    all.sort_by_key(|(sample, gap)| (*sample, gap.at_us));
    let texts = all.into_iter().map(|(sample, gap)| {
        let of = if several {
            format!("sample {sample}, ")
        } else {
            String::new()
        };
        let at = gap.at_us as f64 / 1e6;
        let connection = gap.connection.map_or("", Fate::clause);
        let open = if gap.open {
            "; no answer came until the end"
        } else {
            ""
        };
        format!(
            "{of}at {at:.3} s for {} ms{connection}{open}",
            ms(gap.length_us)
        )
    });
    texts
        .map(|text| vec![Span::new(Meaning::Dim, text)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(at_us: u64, length_us: u64) -> Gap {
        Gap {
            at_us,
            length_us,
            connection: None,
            open: false,
        }
    }

    #[test]
    fn fates_are_counted() {
        let with = |connection| Gap {
            connection: Some(connection),
            ..gap(0, 1)
        };
        let gaps = Gaps {
            listed: vec![
                with(Fate::Survived),
                with(Fate::Reset),
                with(Fate::Survived),
            ],
            ..Gaps::default()
        };
        let sample = Sample::example(&crate::schedule::CellId("a/b".to_owned()));
        assert_eq!(connections(&[(&sample, &gaps)]), "2 survived, 1 reset");
        assert_eq!(connections(&[(&sample, &Gaps::default())]), "");
    }
}

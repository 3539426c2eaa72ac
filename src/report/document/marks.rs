//! What was done while the samples of a test ran, and when.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::block::{Block, Column, Meaning, Table, TableKind};
use crate::plan::{Deed, During, Test};
use crate::report::{CellReport, Report};
use crate::results::mark::{Edge, Mark};

/// Marks that are shown of each test.
const SHOWN: usize = 30;

/// The marks of a test, and what has none; nothing of a test without `during:`.
pub fn blocks(report: &Report, test: &Test, cells: &[&CellReport]) -> Vec<Block> {
    let marks = report.marks.iter().filter(|mark| mark.test == test.name);
    let marks: Vec<&Mark> = marks.collect();
    // The samples of a go start together.
    let samples = cells.iter().flat_map(|cell| &cell.samples);
    let goes: BTreeSet<Timestamp> = samples.map(|sample| sample.started).collect();
    let warnings = (0..).zip(&test.during).flat_map(|(entry, during)| {
        let late = late(entry, during, &marks, goes.len());
        [late, failed(entry, during, &marks)]
    });
    let warnings = warnings.flatten();
    let warnings = warnings.map(|text| Block::paragraph(Meaning::Warning, text));
    table(&marks).into_iter().chain(warnings).collect()
}

/// Says that something was not done in time in each of the repetitions.
fn late(entry: u32, during: &During, marks: &[&Mark], repetitions: usize) -> Option<String> {
    let at = during.at?;
    let of_entry = || marks.iter().filter(|mark| mark.entry == entry);
    let repetitions_with = |edge: Edge| {
        let marks = of_entry().filter(|mark| mark.edge == edge || mark.edge == Edge::Moment);
        marks.map(|mark| go_ms(mark)).collect::<BTreeSet<_>>().len()
    };
    let [begun, ended] = [Edge::Begin, Edge::End].map(repetitions_with);
    let (did, times, why) = match (begun < repetitions, ended < repetitions) {
        (true, _) => ("began", begun, ""),
        (false, true) => (
            "ended",
            ended,
            "It takes longer than the rest of its sample, or ",
        ),
        (false, false) => return None,
    };
    let came = if why.is_empty() { "The" } else { "the" };
    Some(format!(
        "`{}` at {at} {did} in {times} of {repetitions} repetitions before the run ended. {why}{came} command line came too late or \
         was away: run longer samples, or let nothing else run on its CPUs.",
        during.key()
    ))
}

/// Says that something went wrong, so that what the test measures may not have happened.
fn failed(entry: u32, during: &During, marks: &[&Mark]) -> Option<String> {
    let at = during.at?;
    let is_command = matches!(during.what, Deed::Run(_));
    let has_failed = |mark: &&&Mark| {
        let is_bad_end = mark.edge == Edge::End && is_command && mark.exit_code != Some(0);
        mark.entry == entry && (mark.edge == Edge::Moment || is_bad_end)
    };
    let failures: Vec<_> = marks.iter().filter(has_failed).collect();
    let times = match failures.len() {
        0 => return None,
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    Some(format!(
        "`{}` at {at} failed {times}: {}. Gaps, or none, may not be what it does to traffic: the marks say why.",
        during.key(),
        failures.last()?.what()
    ))
}

/// The go of a mark, in milliseconds since the Unix epoch: its offset is rounded.
fn go_ms(mark: &Mark) -> i64 {
    let offset = SignedDuration::try_from_secs_f64(mark.offset_s).unwrap_or_default();
    let go = mark.happened.checked_sub(offset).unwrap_or(mark.happened);
    (go.as_microsecond() + 500).div_euclid(1000)
}

fn table(marks: &[&Mark]) -> Vec<Block> {
    if marks.is_empty() {
        return Vec::new();
    }
    let shown = marks.get(..SHOWN).unwrap_or(marks);
    let mut columns = Vec::new();
    if shown.iter().any(|mark| mark.variant.is_some()) {
        let variants = shown.iter().map(|mark| mark.variant.clone());
        columns.push(Column::words(
            "variant",
            variants.map(Option::unwrap_or_default),
        ));
    }
    if shown.iter().any(|mark| mark.params != shown[0].params) {
        columns.push(Column::words("with", shown.iter().map(|mark| params(mark))));
    }
    let samples = shown.iter().map(|mark| mark.sample.to_string());
    columns.push(Column::figures("sample", "", samples));
    let at = shown.iter().map(|mark| format!("{:.3}", mark.offset_s));
    columns.push(Column::figures("after the go", "s", at));
    let uncertainties = shown
        .iter()
        .map(|mark| format!("{:.1}", mark.uncertainty_s * 1e3));
    columns.push(Column::figures("±", "ms", uncertainties));
    // What was done is below the rest where it is too long.
    let keys = columns.len();
    columns.push(Column::words("what", shown.iter().map(|mark| mark.what())));
    let mut blocks = vec![Block::Table(Table {
        kind: TableKind::List,
        caption: "Marks: what was done".to_owned(),
        columns,
        keys,
        ..Table::default()
    })];
    if marks.len() > shown.len() {
        let text = format!(
            "The first {SHOWN} of {} marks; `events.jsonl` has all.",
            marks.len()
        );
        blocks.push(Block::paragraph(Meaning::Dim, text));
    }
    blocks
}

fn params(mark: &Mark) -> String {
    let params = mark.params.0.iter();
    let texts = params.map(|(param, value)| format!("{param}={}", param.value_text(*value)));
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::diag::Passage;
    use crate::plan::units::Duration;
    use crate::plan::{By, Fault};
    use crate::schedule::{Param, Params};

    fn mark(sample: u32, edge: Edge, mss: u64) -> Mark {
        Mark {
            test: "t".to_owned(),
            variant: None,
            params: Params(vec![(Param::Mss, mss)]),
            sample,
            entry: 0,
            edge,
            happened: Timestamp::UNIX_EPOCH,
            offset_s: 1.0004,
            uncertainty_s: 0.00025,
            exit_code: None,
            text: "freeze: w1".to_owned(),
        }
    }

    fn names(marks: &[Mark]) -> Vec<String> {
        let blocks = table(&marks.iter().collect::<Vec<_>>());
        let Some(Block::Table(table)) = blocks.first() else {
            return Vec::new();
        };
        table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    #[test]
    fn parameters_are_shown_where_they_differ() {
        assert_eq!(names(&[]), Vec::<String>::new());
        let one = [mark(1, Edge::Begin, 96), mark(1, Edge::End, 96)];
        assert_eq!(names(&one), ["sample", "after the go", "±", "what"]);
        let two = [mark(1, Edge::Begin, 96), mark(1, Edge::Begin, 1460)];
        assert_eq!(names(&two), ["with", "sample", "after the go", "±", "what"]);
    }

    #[test]
    fn what_was_not_done_in_each_repetition_is_told() {
        let during = During {
            at: Some(Duration(std::time::Duration::from_millis(500))),
            lasts: None,
            what: Deed::Run(vec!["true".to_owned()]),
            written: Passage::default(),
        };
        let marks = [
            mark(1, Edge::Begin, 96),
            mark(1, Edge::End, 96),
            Mark {
                happened: Timestamp::from_second(2).unwrap(),
                ..mark(2, Edge::Begin, 96)
            },
        ];
        let told = |marks: &[Mark], repetitions| {
            let marks: Vec<&Mark> = marks.iter().collect();
            let text = late(0, &during, &marks, repetitions)?;
            Some(text.split(" before").next().unwrap().to_owned())
        };
        let ended = "`run` at 500ms ended in 1 of 2 repetitions".to_owned();
        assert_eq!(told(&marks, 2), Some(ended));
        let began = "`run` at 500ms began in 1 of 2 repetitions".to_owned();
        assert_eq!(told(&marks[..2], 2), Some(began));
        assert_eq!(told(&marks[..2], 1), None);
        // A command that cannot be started has one mark.
        assert_eq!(told(&[mark(1, Edge::Moment, 96)], 1), None);
    }

    #[test]
    fn what_failed_is_told() {
        let during = |what| During {
            at: Some(Duration(std::time::Duration::from_secs(1))),
            lasts: None,
            what,
            written: Passage::default(),
        };
        let run = during(Deed::Run(vec!["true".to_owned()]));
        let ended = |exit_code| Mark {
            exit_code,
            ..mark(1, Edge::End, 96)
        };
        let told = |during: &During, marks: &[Mark]| {
            let marks: Vec<&Mark> = marks.iter().collect();
            let text = failed(0, during, &marks)?;
            Some(text.split(". Gaps").next().unwrap().to_owned())
        };
        assert_eq!(
            told(&run, &[mark(1, Edge::Begin, 96), ended(Some(0))]),
            None
        );
        let code = "`run` at 1s failed once: end of freeze: w1, exit code 3".to_owned();
        assert_eq!(told(&run, &[ended(Some(0)), ended(Some(3))]), Some(code));
        let twice = "`run` at 1s failed 2 times: freeze: w1".to_owned();
        let not_started = mark(2, Edge::Moment, 96);
        assert_eq!(told(&run, &[ended(None), not_started.clone()]), Some(twice));
        // A fault has no exit code, and a mark by hand is a moment.
        let fault = during(Deed::Fault(Fault::Freeze("w1".to_owned())));
        assert_eq!(told(&fault, &[ended(None)]), None);
        assert!(told(&fault, std::slice::from_ref(&not_started)).is_some());
        let by_hand = During {
            at: None,
            ..during(Deed::By(By::Hand))
        };
        assert_eq!(told(&by_hand, &[not_started]), None);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let mark = mark(1, Edge::Moment, 96);
        let blocks = table(&[&mark; SHOWN + 1]);
        let expected = "The first 30 of 31 marks; `events.jsonl` has all.";
        assert_eq!(
            blocks.last(),
            Some(&Block::paragraph(Meaning::Dim, expected))
        );
        assert_eq!(table(&[&mark; SHOWN]).len(), 1);
    }
}

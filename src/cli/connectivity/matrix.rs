//! What pods on several nodes reach of each other, as a document.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::evidence::Unasked;
use crate::connectivity::{Answer, Evidence, Layer, Segment};
use crate::diag::{count, list};
use crate::report::document::{Block, Cell, Column, Document, Meaning, Span, Table, TableKind};

/// A table of all pairs, and a sentence for each layer that is broken and each pod that could not be asked. Of many
/// pairs only those are shown where something is.
pub(in crate::cli) fn matrix(found: &[(Evidence, Layer)], unasked: &[Unasked]) -> Document {
    let broken = found.iter().filter(|(_, layer)| *layer != Layer::Nothing);
    let broken: Vec<&(Evidence, Layer)> = broken.collect();
    let shown: Vec<&(Evidence, Layer)> = if found.len() > MOST_ROWS {
        broken.iter().take(MOST_ROWS).copied().collect()
    } else {
        found.iter().collect()
    };
    let mut blocks = Vec::new();
    if !shown.is_empty() {
        blocks.push(Block::Table(table(&shown)));
    }
    let hidden = found.len() - shown.len();
    if hidden > 0 {
        let text = format!("{} not shown", is_or_are(hidden, "more pair"));
        blocks.push(Block::paragraph(Meaning::Dim, text));
    }
    if broken.is_empty() && unasked.is_empty() {
        blocks.extend(all_well(found));
    } else {
        let unasked = unasked.iter().map(|pod| {
            let Unasked { name, why } = pod;
            format!("✗ network: {name} cannot be asked what it reaches: {why}")
        });
        let paragraphs = sentences(&broken).into_iter().chain(unasked);
        let paragraphs = paragraphs.map(|text| vec![Span::new(Meaning::Failed, text)]);
        blocks.push(Block::Text(paragraphs.collect()));
    }
    Document { blocks }
}

/// Rows of a table that a person reads.
const MOST_ROWS: usize = 30;

/// What all pairs have shown, and what was not tried of each.
fn all_well(found: &[(Evidence, Layer)]) -> Vec<Block> {
    let all = |is_tried: fn(&Evidence) -> bool| {
        !found.is_empty() && found.iter().all(|(one, _)| is_tried(one))
    };
    let ways = [
        ("pod IP", all(|one| !one.pod.is_empty())),
        ("cluster IP", all(|one| !one.service.is_empty())),
        (
            "DNS name",
            all(|one| matches!(resolved(one), Some(Ok(answers)) if !answers.is_empty())),
        ),
    ];
    let packets = (
        "full packets",
        all(|one| full_packet(one).meaning == Meaning::Good),
    );
    let names = |ways: &[(&'static str, bool)], wanted: bool| -> Vec<&str> {
        let ways = ways.iter().filter(|(_, is_tried)| *is_tried == wanted);
        ways.map(|(name, _)| *name).collect()
    };
    let tried = names(&ways, true);
    let untried = names(&[ways.as_slice(), &[packets]].concat(), false);
    let mut blocks = Vec::new();
    if !tried.is_empty() {
        let packets = if packets.1 { ", with full packets" } else { "" };
        let ways = list(&tried);
        let text = format!("✓ network: all nodes reach each other by {ways}{packets}");
        blocks.push(Block::paragraph(Meaning::Good, text));
    }
    if !untried.is_empty() {
        let text = format!("– network: not tried between all nodes: {}", list(&untried));
        blocks.push(Block::paragraph(Meaning::Dim, text));
    }
    blocks
}

fn is_or_are(n: usize, what: &str) -> String {
    let verb = if n == 1 { "is" } else { "are" };
    format!("{} {verb}", count(n, what))
}

fn table(found: &[&(Evidence, Layer)]) -> Table {
    let words = |name: &str, text: fn(&Evidence) -> &str| {
        Column::words(name, found.iter().map(|(one, _)| text(one).to_owned()))
    };
    let cells = |name: &str, cell: fn(&Evidence) -> Span| Column {
        name: name.to_owned(),
        cells: found.iter().map(|(one, _)| Cell::from(cell(one))).collect(),
        ..Column::default()
    };
    Table {
        kind: TableKind::List,
        columns: vec![
            words("from", |one| &one.from.node),
            words("to", |one| &one.to.node),
            cells("pod IP", |one| answer(&one.pod)),
            cells("cluster IP", |one| answer(&one.service)),
            cells("DNS name", |one| match resolved(one) {
                Some(Ok(answers)) => answer(answers),
                Some(Err(_)) => Span::new(Meaning::Failed, "✗ does not resolve"),
                None => answer(&[]),
            }),
            cells("full packet", full_packet),
        ],
        keys: 2,
        ..Table::default()
    }
}

/// What the name led to, if it was asked for.
fn resolved(evidence: &Evidence) -> Option<&Result<Vec<(IpAddr, Answer)>, String>> {
    evidence.name.as_ref().map(|name| &name.resolved)
}

/// The best answer of the addresses of one kind.
fn answer(answers: &[(IpAddr, Answer)]) -> Span {
    let took = answers.iter().filter_map(|(_, answer)| match answer {
        Answer::Connected { took, .. } => Some(*took),
        _ => None,
    });
    match (took.min(), answers.first()) {
        (Some(took), _) => {
            let text = format!("✓ {:.1} ms", took.as_secs_f64() * 1000.0);
            Span::new(Meaning::Good, text)
        }
        (None, Some((_, answer))) => Span::new(Meaning::Failed, format!("✗ {answer}")),
        (None, None) => Span::new(Meaning::Skipped, "–"),
    }
}

/// The largest payload of a segment by pod IP, else by cluster IP.
fn full_packet(evidence: &Evidence) -> Span {
    let all = evidence.pod.iter().chain(&evidence.service);
    let segment = all.filter_map(|(_, answer)| match answer {
        Answer::Connected { segment, .. } => Some(*segment),
        _ => None,
    });
    match segment.into_iter().next() {
        Some(Segment::Answered(bytes)) => Span::new(Meaning::Good, format!("✓ {bytes} B")),
        Some(Segment::Lost(bytes)) => Span::new(Meaning::Failed, format!("✗ {bytes} B lost")),
        Some(Segment::NotSent) | None => Span::new(Meaning::Skipped, "–"),
    }
}

/// One sentence for each broken layer: of one node, or of two.
fn sentences(broken: &[&(Evidence, Layer)]) -> Vec<String> {
    let mut groups: BTreeMap<(Layer, Vec<&str>), Vec<&Evidence>> = BTreeMap::new();
    for (evidence, layer) in broken {
        let (from, to) = (evidence.from.node.as_str(), evidence.to.node.as_str());
        let nodes = match layer {
            // It is a matter of the node that dials.
            Layer::KubeProxy | Layer::Dns | Layer::Route => vec![from],
            _ if from < to => vec![from, to],
            _ => vec![to, from],
        };
        groups.entry((*layer, nodes)).or_default().push(evidence);
    }
    let groups = groups.into_iter();
    let sentences = groups.filter_map(|((layer, _), all)| {
        let (first, more) = all.split_first()?;
        let (from, to) = (&first.from.node, &first.to.node);
        let more = match more.len() {
            0 => String::new(),
            more => format!(" (and {more} more like this)"),
        };
        Some(format!(
            "✗ network: from `{from}` to `{to}`: {}{more}",
            layer.explain(first)
        ))
    });
    sentences.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::connectivity::{Endpoint, Name, find};

    fn pair(from: &str, to: &str, pod: &Answer, service: &Answer) -> (Evidence, Layer) {
        let place = |node: &str| Endpoint {
            name: format!("`probe-{node}`"),
            node: node.to_owned(),
            ips: Vec::new(),
        };
        let (pod_ip, service_ip) = ("10.1.0.5".parse().unwrap(), "10.96.0.7".parse().unwrap());
        let service = vec![(service_ip, service.clone())];
        let evidence = Evidence {
            from: place(from),
            to: place(to),
            pod: vec![(pod_ip, pod.clone())],
            service: service.clone(),
            name: Some(Name {
                host: "np-probe".to_owned(),
                resolved: Ok(service),
            }),
            is_listening: false,
            is_host: false,
            name_servers: Vec::new(),
        };
        let layer = find(&evidence, false);
        (evidence, layer)
    }

    fn text(document: &Document) -> String {
        crate::output::terminal::render(document, 200, false)
    }

    #[test]
    fn a_document_has_a_row_for_each_pair_and_a_sentence_for_each_fault() {
        let good = Answer::Connected {
            took: Duration::from_micros(420),
            segment: Segment::Answered(1448),
        };
        let lost = Answer::TimedOut;
        let well = [
            pair("n1", "n2", &good, &good),
            pair("n2", "n1", &good, &good),
        ];
        let shown = text(&matrix(&well, &[]));
        assert!(
            shown.contains(
                "✓ network: all nodes reach each other by pod IP, cluster IP and DNS name, with full packets"
            ),
            "{shown}"
        );
        assert!(!shown.contains("not tried"), "{shown}");
        assert_eq!(shown.matches("✓ 0.4 ms").count(), 6, "{shown}");
        assert_eq!(shown.matches("✓ 1448 B").count(), 2, "{shown}");

        let found = [
            pair("n1", "n2", &lost, &lost),
            pair("n2", "n1", &lost, &lost),
            pair("n3", "n1", &good, &lost),
            pair("n3", "n2", &good, &lost),
            pair("n1", "n3", &good, &good),
        ];
        let shown = text(&matrix(&found, &[]));
        assert!(!shown.contains("✓ network"), "{shown}");
        assert_eq!(shown.matches("✗ network").count(), 2, "{shown}");
        assert_eq!(
            shown.matches("(and 1 more like this)").count(),
            2,
            "{shown}"
        );
        assert!(shown.contains("kube-proxy on `n3`"), "{shown}");
        assert!(
            shown.contains("the pod network between `n2` and `n1`"),
            "{shown}"
        );
    }

    #[test]
    fn only_what_was_tried_is_well() {
        let good = Answer::Connected {
            took: Duration::from_micros(420),
            segment: Segment::NotSent,
        };
        let mut found = pair("n1", "n2", &good, &good);
        // Services may not be read.
        found.0.service.clear();
        let shown = text(&matrix(&[found], &[]));
        assert!(
            shown.contains("✓ network: all nodes reach each other by pod IP and DNS name\n"),
            "{shown}"
        );
        assert!(
            shown.contains("not tried between all nodes: cluster IP and full packets"),
            "{shown}"
        );
        assert!(!text(&matrix(&[], &[])).contains('✓'));
    }

    #[test]
    fn a_pod_that_cannot_be_asked_hides_no_other() {
        let good = Answer::Connected {
            took: Duration::from_micros(420),
            segment: Segment::Answered(1448),
        };
        let unasked = Unasked {
            name: "`probe-3`".to_owned(),
            why: "pod `np-probe-3` does not answer".to_owned(),
        };
        let shown = text(&matrix(&[pair("n1", "n2", &good, &good)], &[unasked]));
        assert!(!shown.contains("✓ network"), "{shown}");
        assert_eq!(shown.matches("✓ 0.4 ms").count(), 3, "{shown}");
        assert!(
            shown.contains(
                "✗ network: `probe-3` cannot be asked what it reaches: pod `np-probe-3` does not answer"
            ),
            "{shown}"
        );
    }

    #[test]
    fn of_many_pairs_the_broken_ones_are_shown() {
        let good = Answer::Connected {
            took: Duration::from_millis(1),
            segment: Segment::Lost(8948),
        };
        let sent = Answer::Connected {
            took: Duration::from_millis(1),
            segment: Segment::Answered(1448),
        };
        let mut found: Vec<_> = (0..40).map(|_| pair("n1", "n2", &sent, &sent)).collect();
        found.push(pair("n7", "n8", &good, &good));
        let shown = text(&matrix(&found, &[]));
        assert!(shown.contains("✗ 8948 B lost"), "{shown}");
        assert!(shown.contains("40 more pairs are not shown"), "{shown}");
        assert!(!shown.contains("1448"), "{shown}");
    }
}

//! What is in the page and in its charts, and that both are bounded.

use std::collections::BTreeSet;

use netplan::output::html;
use netplan::output::svg;
use netplan::plan::sweep::Sweep;
use netplan::plan::{BuiltInUse, ToolSpec};
use netplan::report::Report;
use netplan::report::document::{
    Axis, Block, Chart, Document, Dot, DotPlot, DotRow, Point, Series,
};
use netplan::results::{Cluster, IMPORTED};
use netplan::schedule::{Schedule, Selection};
use netplan::statistics::Interval;

use super::runs;
use crate::made::{self, End, Fate};
use crate::support::snapshots;

fn interval(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

fn chart() -> Chart {
    let point = |x: u64, y: f64| Point {
        x,
        y: Some(y),
        interval: Some(interval(y * 0.9, y * 1.05)),
    };
    Chart {
        caption: "Throughput".to_owned(),
        finding: "a & b".to_owned(),
        x: Axis {
            name: "MSS".to_owned(),
            unit: "bytes".to_owned(),
        },
        y: Axis {
            name: "throughput".to_owned(),
            unit: "Mbit/s".to_owned(),
        },
        decimals: 0,
        series: vec![
            Series {
                name: "remote-pod".to_owned(),
                look: 0,
                points: vec![point(96, 100.0), point(536, 640.0), point(1460, 900.0)],
            },
            Series {
                name: "<remote>".to_owned(),
                look: 9,
                points: vec![
                    Point::new(96, Some(90.0)),
                    Point::new(536, None),
                    Point::new(1460, Some(880.0)),
                ],
            },
        ],
        ..Chart::default()
    }
}

#[test]
fn charts_as_files() {
    let plot = DotPlot {
        x: Axis {
            name: "of remote-pod".to_owned(),
            unit: "%".to_owned(),
        },
        reference: Some(100.0),
        decimals: 1,
        rows: vec![
            DotRow {
                name: "remote-service".to_owned(),
                look: 3,
                dots: vec![Dot {
                    name: String::new(),
                    value: 97.5,
                    interval: Some(interval(95.0, 100.5)),
                }],
            },
            DotRow {
                name: "hairpin".to_owned(),
                look: 4,
                dots: Vec::new(),
            },
        ],
        ..DotPlot::default()
    };
    let lines = svg::line_chart(&chart(), svg::Size::Wide, "chart-1");
    let dots = svg::dot_plot(&plot, svg::Size::Narrow);
    snapshots().bind(|| {
        insta::assert_snapshot!("chart_lines_svg", lines.replace('>', ">\n"));
        insta::assert_snapshot!("chart_dots_svg", dots.replace('>', ">\n"));
    });
    let file = svg::file(&lines, "a < b");
    assert!(
        file.starts_with("<svg ")
            && file.contains("aria-label=\"a &lt; b\"")
            && file.ends_with("</svg>\n")
    );
}

/// The nodes of a chart do not grow with its series.
#[test]
fn a_chart_of_a_million_points_is_small() {
    let series = |number: usize| Series {
        name: format!("path-{number}"),
        look: number,
        points: (0..20_000)
            .map(|x| Point::new(x, Some((x % 997) as f64)))
            .collect(),
    };
    let large = Chart {
        series: (0..50).map(series).collect(),
        ..chart()
    };
    for size in svg::Size::OF_PAGES {
        let svg = svg::line_chart(&large, size, "c");
        assert!(svg.len() < 400_000, "{} bytes", svg.len());
        assert!(
            svg.matches('<').count() < 600,
            "{} tags",
            svg.matches('<').count()
        );
    }
}

/// The findings of all charts, and the size of a page like that of the default plan.
#[test]
fn the_page_states_findings_and_is_small() {
    let page = html::render(&Document::page_from_report(&runs::report(3))).unwrap();
    assert!(page.len() < 300_000, "{} bytes", page.len());
    let captions = page.split("<figcaption>").skip(1);
    let findings: Vec<&str> = captions
        .filter_map(|text| text.split("</figcaption>").next())
        .collect();
    let titles = page
        .split("<h2>")
        .skip(1)
        .filter_map(|text| text.split("</h2>").next());
    let titles: Vec<&str> = titles.collect();
    snapshots().bind(|| {
        insta::assert_snapshot!(
            "page_findings",
            format!("{}\n\n{}", titles.join("\n"), findings.join("\n"))
        );
    });
    let script = page
        .rsplit("<script>")
        .next()
        .and_then(|text| text.split("</script>").next());
    assert!(script.is_some_and(|script| (1_000..10_000).contains(&script.len())));
}

/// The names of lines and rows by the chart's caption.
fn names_by_chart(document: &Document) -> Vec<(String, Vec<String>)> {
    let names = |block: &Block| match block {
        Block::Chart(chart) => {
            let names = chart.series.iter().map(|series| series.name.clone());
            Some((chart.caption.clone(), names.collect()))
        }
        Block::DotPlot(plot) => {
            let names = plot.rows.iter().map(|row| row.name.clone());
            Some((plot.caption.clone(), names.collect()))
        }
        _ => None,
    };
    document.blocks.iter().filter_map(names).collect()
}

#[test]
fn no_two_lines_or_rows_of_a_chart_have_one_name() {
    let tests = [made::tcp_streams(), made::udp_rates(), made::rr(1)];
    let plan = made::plan(&tests);
    let schedule = Schedule::new(&plan, &Selection::all());
    let events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    let document = Document::page_from_report(&Report::fold(&events, plan, schedule));
    let charts = names_by_chart(&document);
    for (caption, names) in &charts {
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{caption}: {names:?}");
    }
    let names = |caption: &str| -> Vec<&str> {
        let chart = charts.iter().find(|(other, _)| other == caption);
        let names = &chart.unwrap_or_else(|| panic!("{caption}: {charts:?}")).1;
        names.iter().map(String::as_str).collect()
    };
    for streams in ["streams, streams=1", "streams, streams=8"] {
        assert_eq!(names(streams), ["remote-service"]);
    }
    let rows = names("Other tests");
    assert!(
        rows.contains(&"udp-rates remote-service / remote-pod rate=100 Mbit/s"),
        "{rows:?}"
    );
}

/// What a page leaves out it names.
#[test]
fn a_page_is_bounded_and_states_what_it_does_not_show() {
    let values = |count: u64| Sweep::List((1..=count).collect());
    let used = BuiltInUse::new("iperf3", "tcp").unwrap();
    let used = used
        .with("streams", values(9))
        .with("mss", Sweep::List(vec![536, 984, 1448, 9000]));
    let mut tests = vec![made::tcp_streams(); 43];
    for (number, test) in tests.iter_mut().enumerate() {
        test.name = format!("test-{number}");
    }
    tests[0].tool = ToolSpec::BuiltIn(used);
    let plan = made::plan(&tests);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    runs::describe(&mut events);
    let report = Report::fold(&events, plan, schedule);
    let page = html::render(&Document::page_from_report(&report)).unwrap();
    // Of throughput, ratios and CPU.
    assert_eq!(page.matches("the charts of 3 more combinations").count(), 3);
    // Of ratios and CPU.
    assert_eq!(page.matches("the charts of 3 more tests").count(), 2);
    assert_eq!(page.matches("The other 3 tests are in").count(), 1);
}

#[test]
fn the_head_names_the_cluster_and_what_was_imported() {
    let mut report = runs::report(1);
    for (kind, where_) in [("local", ">local cluster; "), (IMPORTED, ">imported; ")] {
        report.environment.cluster = Some(Cluster {
            kind: kind.to_owned(),
            description: serde_json::Value::Null,
        });
        let page = html::render(&Document::page_from_report(&report)).unwrap();
        assert!(page.contains(where_), "{kind}");
    }
}

//! Legends, values and tables.

use netplan::report::document::{Block, Chart, Column, Document, Point, Series, Table};

use super::browser::{self, Tab};
use super::runs;
use crate::support::needs;

#[tokio::test]
async fn legends_values_and_tables_work_by_pointer_and_by_keyboard() {
    needs!(browser::installed());
    let _turn = browser::turn().await;
    let (_folder, file) = runs::page(&runs::report(3));
    let mut tab = Tab::start().await;
    tab.show_as(1280, 900, false).await;
    tab.open(&file).await;
    legend(&mut tab).await;
    pointer(&mut tab).await;
    arrow_keys(&mut tab).await;
    sorting(&mut tab).await;
    filter(&mut tab).await;
    assert!(tab.problems().is_empty(), "{:?}", tab.problems());
}

/// A page of charts and tables as other documents than reports have them.
#[tokio::test]
async fn series_of_one_name_are_told_apart_and_units_are_sorted() {
    needs!(browser::installed());
    let _turn = browser::turn().await;
    let series = |points: &[(u64, f64)]| Series {
        name: "path".to_owned(),
        look: 0,
        points: points
            .iter()
            .map(|(x, y)| Point::new(*x, Some(*y)))
            .collect(),
    };
    let chart = Chart {
        series: vec![
            series(&[(10, 1.0), (20, 2.0), (30, 3.0)]),
            series(&[(28, 4.0), (90, 5.0)]),
            series(&[(1, 6.0), (2, 7.0), (27, 8.0)]),
        ],
        ..Chart::default()
    };
    let rates = [
        "850 Mbit/s",
        "1.91 Gbit/s",
        "\u{2212}3 %",
        "",
        "2.5 ms",
        "7",
    ];
    let table = Table {
        columns: vec![Column::figures("now", "", rates.map(str::to_owned))],
        ..Table::default()
    };
    let document = Document {
        blocks: vec![Block::Chart(chart), Block::Table(table)],
    };
    let (_folder, file) = runs::page_from(&document);
    let mut tab = Tab::start().await;
    tab.show_as(1280, 900, false).await;
    tab.open(&file).await;
    tab.eval("document.querySelector('.plot').focus()").await;
    let mut values = Vec::new();
    for key in ["Home", "End", "ArrowDown", "ArrowDown", "ArrowUp"] {
        tab.press(key).await;
        values.push(
            tab.text("document.querySelector('output').textContent")
                .await,
        );
    }
    assert_eq!(
        values,
        [
            "path,  10: 1",
            "path,  30: 3",
            "path,  28: 4",
            "path,  27: 8",
            "path,  28: 4"
        ]
    );
    tab.click("thead button").await;
    assert_eq!(
        column(&mut tab, 0).await,
        [
            "\u{2212}3 %",
            "2.5 ms",
            "7",
            "850 Mbit/s",
            "1.91 Gbit/s",
            ""
        ]
    );
    assert!(tab.problems().is_empty(), "{:?}", tab.problems());
}

/// How many visible lines the name has, in all charts.
async fn lines(tab: &mut Tab, name: &str) -> u64 {
    let script = format!(
        "[...document.querySelectorAll('.lines svg g.series[data-name={name:?}] .line')]\
         .filter(line => line.getClientRects().length).length"
    );
    tab.eval(&script).await.as_u64().unwrap()
}

async fn legend(tab: &mut Tab) {
    const HAIRPIN: &str = "#chart-1 .legend button[data-name=hairpin]";
    let before = lines(tab, "hairpin").await;
    let others = lines(tab, "remote-pod").await;
    assert!(before > 1 && others > 1, "{before}, {others}");
    tab.click(HAIRPIN).await;
    assert_eq!(lines(tab, "hairpin").await, 0);
    assert_eq!(lines(tab, "remote-pod").await, others);
    assert_eq!(
        tab.text(&format!("document.querySelector('{HAIRPIN}').ariaPressed"))
            .await,
        "false"
    );
    tab.screenshot("legend", false).await;
    // By keyboard: the button that shows all is focused and pressed.
    tab.eval("document.querySelector('#chart-1 .legend .all').focus()")
        .await;
    tab.eval("document.activeElement.click()").await;
    assert_eq!(lines(tab, "hairpin").await, before);
    assert_eq!(
        tab.text("document.activeElement.dataset.name").await,
        "same-node-pod"
    );
}

async fn pointer(tab: &mut Tab) {
    const TIP: &str = "document.querySelector('#chart-1 .tip')";
    tab.point("#chart-1 .plot svg.wide", (0.5, 0.5)).await;
    let tip = tab.text(&format!("{TIP}.textContent")).await;
    assert!(
        tip.starts_with("MSS ") && tip.contains("hairpin") && tip.contains("Mbit/s ("),
        "{tip}"
    );
    tab.screenshot("pointer", false).await;
    assert!(
        tab.eval("document.querySelectorAll('#chart-1 .cursor circle').length")
            .await
            .as_u64()
            > Some(3)
    );
    tab.point("h1", (0.0, 0.0)).await;
    assert_eq!(tab.eval(&format!("{TIP}.hidden")).await, true);
}

async fn arrow_keys(tab: &mut Tab) {
    const VALUE: &str = "document.querySelector('#chart-1 output').textContent";
    assert_eq!(
        tab.text("document.querySelector('#chart-1 output').ariaLive")
            .await,
        "polite"
    );
    tab.eval("document.querySelector('#chart-1 .plot').focus()")
        .await;
    tab.press("ArrowRight").await;
    let first = tab.text(VALUE).await;
    assert!(first.starts_with("same-node-pod, MSS 96: "), "{first}");
    tab.press("ArrowRight").await;
    let second = tab.text(VALUE).await;
    assert!(second.starts_with("same-node-pod, MSS 160: "), "{second}");
    tab.press("ArrowDown").await;
    let below = tab.text(VALUE).await;
    assert!(
        below.starts_with("same-node-service, MSS 160: ") && below.ends_with(')'),
        "{below}"
    );
    tab.screenshot("keys", false).await;
    tab.press("End").await;
    let last = tab.text(VALUE).await;
    assert!(last.starts_with("same-node-service, MSS 1440: "), "{last}");
    tab.press("Home").await;
    tab.press("ArrowUp").await;
    assert_eq!(tab.text(VALUE).await, first);
    // A chart of dots.
    tab.eval("document.querySelector('figure.dots .plot').focus()")
        .await;
    tab.press("ArrowDown").await;
    let row = tab
        .text("document.querySelector('figure.dots output').textContent")
        .await;
    assert!(row.starts_with("same-node-pod: "), "{row}");
}

/// The texts of a column of the last table.
async fn column(tab: &mut Tab, number: usize) -> Vec<String> {
    let script = format!(
        "(tables => [...tables[tables.length - 1].tBodies[0].rows].filter(row => !row.hidden)\
         .map(row => row.cells[{number}].textContent.trim()))(document.querySelectorAll('table'))"
    );
    serde_json::from_value(tab.eval(&script).await).unwrap()
}

async fn sorting(tab: &mut Tab) {
    const MEAN: &str = "section:last-child thead th:nth-child(4) button";
    let before = column(tab, 3).await;
    let numbers = |texts: &[String]| -> Vec<f64> {
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    };
    let mut sorted = numbers(&before);
    sorted.sort_by(f64::total_cmp);
    assert_ne!(numbers(&before), sorted);
    tab.click(MEAN).await;
    let up = column(tab, 3).await;
    assert_eq!(numbers(&up), sorted);
    // What has no value comes last.
    assert_eq!(up.last().map(String::as_str), Some(""));
    tab.click(MEAN).await;
    sorted.reverse();
    let down = column(tab, 3).await;
    assert_eq!(numbers(&down), sorted);
    assert_eq!(down.last().map(String::as_str), Some(""));
    assert_eq!(
        tab.eval("document.querySelectorAll('th[aria-sort]').length")
            .await,
        1
    );
    tab.screenshot("sorted", false).await;
}

async fn filter(tab: &mut Tab) {
    tab.eval(
        "(input => { input.value = 'HAIRPIN failed'; input.dispatchEvent(new Event('input')) })\
              (document.querySelector('section:last-child [data-filter]'))",
    )
    .await;
    assert_eq!(column(tab, 1).await, ["hairpin"]);
    let said = tab
        .text("document.querySelector('section:last-child .filter output').textContent")
        .await;
    assert!(said.starts_with("1 of "), "{said}");
}

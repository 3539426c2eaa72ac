//! What the browser shows: without an error, without a request, in both themes, on a phone and on paper.

use super::browser::{self, Tab};
use super::runs;
use crate::support::needs;

const WIDE: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (375, 800);

#[tokio::test]
async fn it_shows_without_an_error_or_a_request_in_both_themes_and_on_a_phone() {
    needs!(browser::installed());
    let _turn = browser::turn().await;
    let (_folder, file) = runs::page(&runs::report(3));
    let mut tab = Tab::start().await;
    let mut papers = Vec::new();
    for (name, size, is_dark) in [
        ("wide-light", WIDE, false),
        ("wide-dark", WIDE, true),
        ("phone-light", PHONE, false),
        ("phone-dark", PHONE, true),
    ] {
        tab.show_as(size.0, size.1, is_dark).await;
        tab.open(&file).await;
        tab.screenshot(name, false).await;
        tab.screenshot(&format!("{name}-whole"), true).await;
        assert!(tab.problems().is_empty(), "{name}: {:?}", tab.problems());
        assert!(tab.requests().is_empty(), "{name}: {:?}", tab.requests());
        // Nothing is wider than the window, but for tables in boxes that scroll.
        let beyond = "(e => e.scrollWidth - e.clientWidth)(document.documentElement)";
        assert_eq!(tab.eval(beyond).await, 0, "{name}");
        let shown = "[...document.querySelectorAll('svg.chart')].filter(svg => svg.getClientRects().length)";
        let class = tab.text(&format!("{shown}[0].classList[1]")).await;
        assert_eq!(class, if size == PHONE { "narrow" } else { "wide" });
        // One of the two sizes of each figure.
        let figures = tab.eval("document.querySelectorAll('figure').length").await;
        assert_eq!(tab.eval(&format!("{shown}.length")).await, figures);
        // The first chart begins on the first screen.
        let top = tab
            .eval(&format!("{shown}[0].getBoundingClientRect().top"))
            .await;
        assert!(top.as_f64().unwrap() < f64::from(size.1), "{name}: {top}");
        papers.push(
            tab.text("getComputedStyle(document.body).backgroundColor")
                .await,
        );
    }
    assert_ne!(papers[0], papers[1]);
    assert_eq!((&papers[0], &papers[1]), (&papers[2], &papers[3]));
}

#[tokio::test]
async fn it_prints_with_all_its_tables() {
    needs!(browser::installed());
    let _turn = browser::turn().await;
    let (_folder, file) = runs::page(&runs::report(1));
    let mut tab = Tab::start().await;
    tab.show_as(WIDE.0, WIDE.1, true).await;
    tab.open(&file).await;
    tab.eval(
        "window.opened = 0; addEventListener('beforeprint', () => { \
              opened = document.querySelectorAll('details[open]').length; })",
    )
    .await;
    let pdf = tab.pdf().await;
    assert!(
        pdf.starts_with(b"%PDF-") && pdf.len() > 20_000,
        "{} bytes",
        pdf.len()
    );
    if let Some(folder) = std::env::var_os("NETPLAN_SCREENSHOTS") {
        std::fs::write(std::path::Path::new(&folder).join("page.pdf"), &pdf).unwrap();
    }
    let all = tab
        .eval("document.querySelectorAll('details').length")
        .await;
    assert!(all.as_u64() > Some(1));
    assert_eq!(tab.eval("opened").await, all);
    assert_eq!(
        tab.eval("document.querySelectorAll('details[open]').length")
            .await,
        0
    );
    // Paper is light.
    let media = serde_json::json!({ "media": "print" });
    tab.call("Emulation.setEmulatedMedia", media).await;
    let paper = tab
        .text("getComputedStyle(document.body).backgroundColor")
        .await;
    assert_eq!(paper, "rgb(255, 255, 255)");
    assert_eq!(
        tab.text("getComputedStyle(document.querySelector('nav')).display")
            .await,
        "none"
    );
}

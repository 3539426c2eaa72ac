//! axe-core finds nothing to complain about.

use super::browser::{self, Tab};
use super::runs;
use crate::support::needs;

#[tokio::test]
async fn axe_core_finds_no_violation_in_either_theme() {
    needs!(browser::installed(), browser::axe_core());
    let _turn = browser::turn().await;
    let axe = browser::axe_core().unwrap();
    let (_folder, file) = runs::page(&runs::report(3));
    let mut tab = Tab::start().await;
    for (width, is_dark) in [(1280, false), (1280, true), (375, true)] {
        tab.show_as(width, 900, is_dark).await;
        tab.open(&file).await;
        tab.eval("document.querySelectorAll('details').forEach(details => details.open = true)")
            .await;
        tab.eval(&format!("{axe}; 0")).await;
        let options = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }";
        let run = format!(
            "axe.run(document, {options}).then(r => ({{ passes: r.passes.length, violations: r.violations.map(v => \
             [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary)]) }}))"
        );
        let found = tab.eval(&run).await;
        assert_eq!(
            found["violations"],
            serde_json::json!([]),
            "width {width}, dark: {is_dark}"
        );
        assert!(found["passes"].as_u64() > Some(20), "{found}");
    }
}

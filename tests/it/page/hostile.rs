//! Text of others runs no program, even if the page would let it into the markup.

use netplan::report::Report;
use netplan::results::EventKind;
use netplan::schedule::{Schedule, Selection};
use netplan::tools::Cause;

use super::browser::{self, Tab};
use super::runs;
use crate::made::{self, End, Fate};
use crate::support::needs;

const HOSTILE: &str = "</script><script>window.owned = 1</script><img src=x onerror='window.owned = 1'>\
    \"><svg onload=\"window.owned = 1\"><style>@import 'http://127.0.0.1:9/x'</style>{{ 7 * 7 }}]]><!--\
    \u{202e}txet\n";

#[tokio::test]
async fn hostile_text_runs_nothing_and_loads_nothing() {
    needs!(browser::installed());
    let _turn = browser::turn().await;
    let tests = [made::tcp(256, 1), made::rr(1)];
    let mut plan = made::plan(&tests);
    plan.description = Some(HOSTILE.to_owned());
    for path in &mut plan.paths {
        path.name += HOSTILE;
        path.label += HOSTILE;
    }
    let paths: Vec<String> = plan.paths.iter().map(|path| path.name.clone()).collect();
    for test in &mut plan.tests {
        test.paths.clone_from(&paths);
        test.name += HOSTILE;
    }
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, path| {
        if path.starts_with("hairpin") {
            Fate::Failed(Cause::ToolError, HOSTILE)
        } else if path.starts_with("remote-service") {
            Fate::Skipped(HOSTILE)
        } else {
            Fate::Measured
        }
    });
    for event in &mut events {
        match &mut event.kind {
            EventKind::RunStarted { run, plan, .. } => {
                HOSTILE.clone_into(run);
                HOSTILE.clone_into(plan);
            }
            EventKind::WorkerJoined {
                node, environment, ..
            } => {
                HOSTILE.clone_into(node);
                HOSTILE.clone_into(&mut environment.kernel);
                HOSTILE.clone_into(&mut environment.cpu);
            }
            _ => {}
        }
    }
    let report = Report::fold(&events, plan, schedule);
    let (_folder, file) = runs::page(&report);
    let mut tab = Tab::start().await;
    tab.show_as(1280, 900, false).await;
    tab.open(&file).await;
    assert_eq!(tab.eval("typeof window.owned").await, "undefined");
    assert!(tab.problems().is_empty(), "{:?}", tab.problems());
    assert!(tab.requests().is_empty(), "{:?}", tab.requests());
    assert_eq!(
        tab.eval(
            "document.querySelectorAll('img, script[src], iframe, style:not(head style)').length"
        )
        .await,
        0
    );
    // Values with such names are shown as text.
    tab.eval("document.querySelector('.plot').focus()").await;
    tab.press("ArrowRight").await;
    let value = tab
        .text("document.querySelector('.plot output').textContent")
        .await;
    assert!(value.contains("<script>window.owned"), "{value}");
    assert!(value.contains("\\u{202e}txet"), "{value}");
    assert_eq!(tab.eval("typeof window.owned").await, "undefined");

    assert_eq!(
        tab.eval("document.documentElement.innerHTML.includes('\\u202e')")
            .await,
        false
    );
    // A legend entry hides the lines of its name.
    let lines = "[...document.querySelectorAll('#chart-1 .line')].filter(line => line.getClientRects().length).length";
    let before = tab.eval(lines).await.as_u64().unwrap();
    tab.eval("document.querySelector('#chart-1 .legend button').click()")
        .await;
    assert_eq!(tab.eval(lines).await.as_u64(), Some(before - 1));

    // The policy holds also for what would get into the page.
    tab.eval(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned = 1\">')",
    )
    .await;
    tab.eval("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.owned = 1' }))")
        .await;
    tab.eval("new Promise(done => requestAnimationFrame(() => done(0)))")
        .await;
    assert_eq!(tab.eval("typeof window.owned").await, "undefined");
    assert!(!tab.problems().is_empty());
}

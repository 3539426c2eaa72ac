//! What the README promises.

use std::fs;
use std::time::Duration;

use netplan::diag::Source;
use netplan::plan;
use netplan::schedule::{Schedule, Selection};
use netplan::tools;

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The first block of YAML after a text.
fn block_after<'t>(text: &'t str, before: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap();
    let (_, block) = rest.split_once("```yaml\n").unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn the_short_plan_is_right_and_takes_a_minute() {
    let readme = readme();
    let text = block_after(&readme, "A plan in short; it takes a minute:");
    let plan = plan::load(Source::new("README.md", text), &[]).unwrap();
    let schedule = Schedule::of(&plan, &Selection::all());
    let forecast = tools::forecast(&plan, &schedule);
    assert!(forecast.is_exact());
    let minute = Duration::from_secs(60);
    assert!(forecast.most <= minute, "{forecast:?}");
    assert!(forecast.most >= minute / 2, "{forecast:?}");
}

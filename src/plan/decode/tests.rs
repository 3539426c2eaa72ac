//! The decoder of tests: their tools, their paths, and how large the matrix is.

use std::collections::HashSet;

use super::default_names::free_name;
use super::during;
use super::fault::Targets;
use super::path_names::path_names;
use super::test_load::{Around, loads};
use super::timing::{PartialTiming, check_timeout, check_warmup, timing};
use super::together;
use super::tool_key;
use super::tree::decoder::{At, Decoder};
use super::tree::fields::Fields;
use super::{intervals, rounds};
use crate::catalog::{BUILT_IN_TOOLS, built_in_tool};
use crate::diag::{Place, Problem, one_of};
use crate::plan::decode::expect::check;
use crate::plan::decode::expect::expectations::{self, Expected};
use crate::plan::decode::expect::find;
use crate::plan::decode::tools::builtin::{self, Swept};
use crate::plan::decode::tools::command_check;
use crate::plan::decode::tools::declared::Tools;
use crate::plan::decode::tools::parameter;
use crate::plan::describe::keys::{MOST_CELLS, TEST};
use crate::plan::model::during::During;
use crate::plan::model::expect::Find;
use crate::plan::model::plan_file::{Concurrency, Test};
use crate::plan::model::test_load::Load;
use crate::plan::model::timing::Timing;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::Duration;
use crate::plan::text::tree::{Entry, NodeId};

/// What could be read of a test.
struct FoundTest<'t> {
    place: Place,
    name: Option<At<&'t str>>,
    label: Option<String>,
    tool: Option<ToolSpec>,
    paths: Option<Vec<String>>,
    together: bool,
    during: Vec<During>,
    timing: Timing,
    swept: Vec<Swept>,
    load: Vec<Load>,
    find: Option<Find>,
    expect: Vec<Expected>,
}

/// What tests refer to.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// All paths, when those could be read.
    pub paths: Option<&'a [KnownPath<'a>]>,
    pub tools: Option<&'a Tools>,
    /// `tools:` could not be read: any key may name one.
    pub any_tool: bool,
    /// The names of the variants.
    pub variants: &'a [&'a str],
    /// What faults can break.
    pub targets: Targets<'a>,
    pub concurrency: Concurrency,
}

/// What tests may name: a path, or a mesh for all of its paths.
#[derive(Clone, Copy, Debug)]
pub struct KnownPath<'a> {
    pub name: &'a str,
    /// How many paths there are by this name.
    pub paths: u64,
    pub is_mesh: bool,
}

/// Reads the tests.
pub fn tests(
    decoder: &Decoder<'_>,
    id: NodeId,
    defaults: &PartialTiming,
    known: &Known<'_>,
) -> Option<Vec<Test>> {
    let items = decoder.list(id, "`- iperf3: {}`")?;
    let tests: Vec<Option<FoundTest<'_>>> = items
        .iter()
        .map(|item| test(decoder, *item, defaults, known))
        .collect();
    let named = tests.iter().flatten().filter_map(|test| test.name);
    decoder.unique("tests", named);
    // Given names have precedence over generated ones, whatever their order.
    let mut taken: HashSet<String> = tests
        .iter()
        .flatten()
        .filter_map(|test| test.name)
        .map(|name| name.value.to_owned())
        .collect();
    let mut cells = 0;
    for test in tests.iter().flatten() {
        count_cells(decoder, test, known, &mut cells);
    }
    tests
        .into_iter()
        .map(|test| {
            let test = test?;
            let tool = test.tool?;
            let name = match test.name {
                Some(name) => name.value.to_owned(),
                None => free_name(&mut taken, &tool.default_test_name()),
            };
            Some(Test {
                name,
                label: test.label.unwrap_or_else(|| tool.default_label()),
                tool,
                paths: test.paths?,
                together: test.together,
                during: test.during,
                timing: test.timing,
                load: test.load,
                find: test.find,
                expect: Expected::to_expectations(&test.expect),
            })
        })
        .collect()
}

fn test<'t>(
    decoder: &Decoder<'t>,
    id: NodeId,
    defaults: &PartialTiming,
    known: &Known<'_>,
) -> Option<FoundTest<'t>> {
    let paths = known.paths;
    let fields = decoder.open_mapping(id, &TEST)?;
    let name = fields.text("name");
    let label = fields.string("label");
    let mut swept = Vec::new();
    let tool = tool(decoder, &fields, known, &mut swept);
    let names: Option<Vec<&str>> = paths.map(|all| all.iter().map(|path| path.name).collect());
    let test_paths = path_names(decoder, &fields, names.as_deref());
    let test_paths = match fields.key_place("paths") {
        Some(_) => test_paths,
        None => names.map(|all| all.into_iter().map(str::to_owned).collect()),
    };
    let variants = match fields.key_place("find") {
        Some(_) => 0,
        None => known.variants.len(),
    };
    let during_items = fields.list("during");
    let asked = fields.value("together");
    let asked = asked.and_then(|id| decoder.boolean(id));
    let together = asked.unwrap_or_default() || during_items.is_some();
    let together_place = fields
        .key_place("together")
        .or_else(|| fields.key_place("during"));
    if let (Some(false), Some(_), Some(place)) = (asked, &during_items, together_place) {
        together::refuse_with_during(decoder, place);
    }
    let own = timing(decoder, &fields, variants);
    let intervals = fields.duration("intervals");
    let has_intervals = fields.key_place("intervals").is_some();
    let measured = tool
        .as_ref()
        .map(|tool| tool.measures_in_test(has_intervals));
    let measured = measured.unwrap_or_default();
    let find = fields.entry("find").and_then(|entry| {
        let may = |tool| find::may_find(decoder, entry.key_place, tool);
        let may = tool.as_ref().is_none_or(may);
        may.then(|| find::find(decoder, entry.value, &measured))?
    });
    let expect = fields
        .value("expect")
        .and_then(|id| expectations::expectations(decoder, id, &measured))
        .unwrap_or_default();
    if let (Some(_), Some(own), Some(all)) = (&tool, &test_paths, paths) {
        let single = all.iter().filter(|path| !path.is_mesh);
        let single: Vec<&str> = single.map(|path| path.name).collect();
        check::check_test(decoder, &expect, &measured, own, &single, known.variants);
    }
    let around = Around {
        singles: paths.map(|all| {
            all.iter()
                .filter(|path| !path.is_mesh)
                .map(|path| path.name)
                .collect()
        }),
        meshes: paths
            .into_iter()
            .flatten()
            .filter(|path| path.is_mesh)
            .map(|path| path.name)
            .collect(),
        tools: known.tools,
        concurrency: known.concurrency,
    };
    let load = loads(decoder, &fields, &around);
    if let (true, Some(place)) = (together, together_place) {
        together::check_find(decoder, place, find.is_some());
        together::check_load(decoder, place, fields.key_place("load").is_some());
    }
    fields.done_else(|key| {
        let tools = builtin::tools_with(key);
        if known.any_tool || tools.is_empty() {
            return tool_key::hint(key);
        }
        let tools: Vec<String> = tools.iter().map(|tool| format!("{tool}:")).collect();
        let tools = one_of(tools.iter().map(String::as_str));
        Some(format!(
            "`{key}` is an option of the tool: put it within {tools}"
        ))
    });
    if find.is_some() {
        rounds::check_search(decoder, own.repeat.as_ref());
    } else {
        rounds::check(decoder, own.repeat.as_ref(), known.variants);
    }
    let mut timing = own.or(defaults);
    if let (true, Some(place)) = (together, together_place) {
        together::check_repeat(decoder, place, &timing.resolve(variants));
    }
    check_timeout(decoder, &timing, tool.as_ref());
    check_warmup(decoder, &timing, tool.as_ref());
    if let (None, Some(ToolSpec::Declared(used))) = (timing.timeout, &tool) {
        timing.timeout = used.tool.timeout.map(|value| At {
            value,
            place: fields.place,
        });
        check_timeout(decoder, &timing, tool.as_ref());
    }
    let mut timing = timing.resolve(variants);
    timing.intervals = intervals.map(|at| at.value);
    if let (Some(intervals), Some(tool)) = (intervals, &tool) {
        intervals::check(decoder, intervals, tool, &timing);
    }
    let lasts = Duration(timing.warmup.0 + timing.duration.0);
    let during =
        during_items.and_then(|items| during::during(decoder, items, lasts, known.targets));
    if let Some(ToolSpec::Declared(used)) = &tool {
        let entry = fields.named(&used.tool.name);
        let place = entry.map_or(fields.place, |entry| entry.key_place);
        command_check::check_use(decoder, place, used, &timing, find.as_ref());
    }
    Some(FoundTest {
        place: fields.place,
        name,
        label,
        tool,
        paths: test_paths,
        together,
        during: during.unwrap_or_default(),
        timing,
        swept,
        load: load.unwrap_or_default(),
        find,
        expect,
    })
}

/// The one tool of a test.
fn tool(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    known: &Known<'_>,
    swept: &mut Vec<Swept>,
) -> Option<ToolSpec> {
    let built_in = BUILT_IN_TOOLS.map(|tool| tool.name);
    let declared = known.tools.into_iter().flat_map(Tools::keys);
    let declared = declared
        .map(String::as_str)
        .filter(|name| !built_in.contains(name));
    let names: Vec<&str> = built_in.into_iter().chain(declared).collect();
    let mut found: Vec<&Entry> = names.iter().filter_map(|name| fields.named(name)).collect();
    found.sort_by_key(|entry| entry.key_place);
    match found[..] {
        [entry] => {
            if let Some(tool) = built_in_tool(&entry.key) {
                let used = builtin::built_in(decoder, entry.value, tool, swept);
                return used.map(ToolSpec::BuiltIn);
            }
            let tool = known.tools?.get(&entry.key)?.as_ref()?;
            let used = parameter::used(decoder, entry.value, tool, None, swept);
            used.map(ToolSpec::Declared)
        }
        [first, second, ..] => {
            decoder.report(
                Problem::new(second.key_place, "a test has one tool, and this has two")
                    .label("the second")
                    .related(first.key_place, "the first")
                    .help("make two tests of it, each with its own `- `"),
            );
            None
        }
        [] => {
            let entries = fields.entries();
            let keys = entries.iter().map(|entry| entry.key.as_str());
            let mut keys = keys.filter(|key| tool_key::stands_for_tool(key, &names));
            if !known.any_tool && !fields.is_incomplete() && keys.next().is_none() {
                let tools = built_in.map(|name| format!("{name}: {{}}"));
                let tools = one_of(tools.iter().map(String::as_str));
                let problem = Problem::new(fields.place, "this test has no tool");
                decoder.report(problem.help(format!("add {tools}; `{{}}` holds its options")));
            }
            None
        }
    }
}

/// Counts the cells of a test by multiplication, and notes the sweep that makes them too many.
fn count_cells(decoder: &Decoder<'_>, test: &FoundTest<'_>, known: &Known<'_>, cells: &mut u64) {
    if *cells > MOST_CELLS {
        return;
    }
    let all = known.paths.unwrap_or_default();
    let paths_of = |name: &String| all.iter().find(|k| k.name == name).map_or(1, |k| k.paths);
    let named = test.paths.as_deref().unwrap_or_default();
    let paths: u64 = named.iter().map(paths_of).sum();
    let mut own = paths * known.variants.len().max(1) as u64;
    let mut culprit = test.place;
    for swept in &test.swept {
        let before = own;
        own = own.saturating_mul(swept.values);
        if before.saturating_add(*cells) <= MOST_CELLS {
            culprit = swept.place;
        }
    }
    *cells = cells.saturating_add(own);
    if *cells > MOST_CELLS {
        let problem = Problem::new(culprit, format!("with this there are {cells} cells"));
        decoder.report(problem.help(format!(
            "a plan has at most {MOST_CELLS} cells; cells are tests × paths × values: take a larger `step`, or fewer of them"
        )));
    }
}

//! The whole way from a text to a plan.

use super::tree::decoder::Decoder;
use super::{foreign, plan};
use crate::diag::{Place, Problem, Problems, Source};
use crate::plan::describe::keys::PLAN;
use crate::plan::model::plan::Plan;
use crate::plan::model::plan_file::PlanFile;
use crate::plan::text::source_env::{Alone, SourceEnv};
use crate::plan::text::tree::Tree;
use crate::plan::text::{attach, extend, parse, set, variables};

/// Reads a plan by itself, with `set` overriding values in it, e.g. `tests.0.duration=1s`, and expands
/// it for the nodes of the local cluster. The plan can extend no file and use no variable.
///
/// # Errors
/// All problems at once, those of the text and of `set` alike, each with its place.
pub fn load(source: Source, set: &[String]) -> Result<Plan, Problems> {
    Ok(load_file(&Alone, source, set)?.expand())
}

/// Reads a plan as its author wrote it. `set` overrides the plan, which overrides the files that it
/// extends; then variables are replaced.
///
/// # Errors
/// All problems at once, those of every file and of `set` alike, each with its place.
pub fn load_file(
    around: &dyn SourceEnv,
    source: Source,
    set: &[String],
) -> Result<PlanFile, Problems> {
    let (name, text) = (source.name.clone(), source.text.clone());
    let mut problems = Problems::new(source);
    let mut tree = Tree::default();
    let root = parse::parse(&mut tree, &mut problems, 0, 0, &text);
    let Some(root) = root else {
        if problems.is_empty() {
            let problem = Problem::new(Place::default(), "the plan is empty");
            problems.push(problem.help("`netplan init FILE` writes one to start from"));
        }
        return Err(problems);
    };
    if let Some(problem) = foreign::recognise(&tree, root) {
        problems.push(problem);
        return Err(problems);
    }
    let root = extend::resolve(&mut tree, &mut problems, around, root, &name, |key| {
        PLAN.key(key).is_some()
    });
    let root = set::apply(&mut tree, &mut problems, root, set);
    if let Some(problem) = tree.too_large(root, Place::default()) {
        problems.push(problem);
        return Err(problems);
    }
    let unread = variables::fill(&mut tree, &mut problems, around, root);
    let root = attach::attach(&mut tree, &mut problems, around, &unread, root);
    let decoder = Decoder::new(&tree, problems, unread, around.is_checked());
    let plan = plan::plan(&decoder, root);
    let problems = decoder.finish();
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems),
    }
}

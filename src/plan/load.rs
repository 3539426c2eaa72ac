//! The whole way from a text to a plan.

use super::decode::Decoder;
use super::model::Plan;
use super::tree::Tree;
use super::{parse, read, set};
use crate::diag::{Place, Problem, Problems, Source};

/// Reads a plan, with `set` overriding values in it: each as in `tests.0.duration=1s`.
///
/// # Errors
/// All problems at once, those of the text and of `set` alike, each with its place.
pub fn load(source: Source, set: &[String]) -> Result<Plan, Problems> {
    let text = source.text.clone();
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
    let root = set::apply(&mut tree, &mut problems, root, set);
    let decoder = Decoder::new(&tree, problems);
    let plan = read::plan(&decoder, root);
    let problems = decoder.finish();
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems),
    }
}

/// A plan to start from, which shows all of the language in its comments.
#[must_use]
pub fn init_text() -> &'static str {
    include_str!("../../plans/init.yaml")
}

/// Why there is no text of a plan.
#[derive(Debug, thiserror::Error)]
#[error("the plan cannot be written as YAML: {0}")]
pub struct YamlError(#[from] serde_yaml::Error);

impl Plan {
    /// The plan as text, every default filled in; [`load`] reads it again.
    ///
    /// # Errors
    /// The writer's, of which none is known for a plan that was loaded.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        Ok(serde_yaml::to_string(self)?)
    }
}

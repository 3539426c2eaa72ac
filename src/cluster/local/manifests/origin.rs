//! Where an object comes from, for errors.

use crate::cluster::Error;
use crate::diag::Problem;

/// The template and the object in it that a problem belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Kind and name: `Pod np-1-w1`.
    pub object: String,
    pub template: String,
    /// Where the pod's spec is: `spec`, in a Job `spec.template.spec`.
    pub spec_path: &'static str,
}

impl Origin {
    /// The refusal of a field of this object.
    pub fn refuse(&self, field: &str, what: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Refused {
            object: self.object.clone(),
            template: self.template.clone(),
            field: field.to_owned(),
            problem: Box::new(Problem::without_place(what).help(help)),
        }
    }

    /// The same, for a field below the pod's spec.
    pub fn refuse_in_spec(
        &self,
        field: &str,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        self.refuse(&format!("{}.{field}", self.spec_path), what, help)
    }
}

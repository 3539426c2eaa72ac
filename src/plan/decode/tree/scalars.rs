//! Tree → single values, with the forms and limits that keys describe.

use indexmap::IndexMap;

use super::decoder::{At, Decoder};
use crate::diag::{Problem, quote};
use crate::plan::describe::key::{Form, Limits, NewName, seconds_text};
use crate::plan::model::kubernetes::StringMap;
use crate::plan::model::units::Duration;
use crate::plan::text::tree::{Kind, NodeId, Value};

impl<'t> Decoder<'t> {
    /// A value with the place of its node.
    pub fn at<T>(&self, id: NodeId, value: Option<T>) -> Option<At<T>> {
        let place = self.place(id);
        value.map(|value| At { value, place })
    }

    /// A whole number within limits.
    pub fn number(&self, id: NodeId, limits: Limits) -> Option<At<u64>> {
        let number = self.whole(id, limits.least, limits.most, limits.unit);
        self.at(id, number)
    }

    /// A text of a form.
    pub fn formed(&self, id: NodeId, form: Form) -> Option<At<&'t str>> {
        self.check_form(self.text(id)?, form)
    }

    /// A text when it has a form. Also a name that cannot be one is given: what refers to it is right
    /// about that.
    fn check_form(&self, text: At<&'t str>, form: Form) -> Option<At<&'t str>> {
        match form {
            Form::Any | Form::Pattern(_) => Some(text),
            Form::DnsLabel(longest) | Form::NewName(NewName { longest, .. }) => {
                Some(self.dns_label(text, longest))
            }
            Form::Label(longest) => self.label(text, longest),
            Form::Sentence(longest) => self.sentence(text, longest),
            Form::Package(longest) => self.package(text, longest),
            Form::Checked(check) => match check(text.value) {
                Ok(()) => Some(text),
                Err(problem) => {
                    self.report(problem.at(text.place));
                    None
                }
            },
        }
    }

    /// A label becomes a field of `result.csv`, which knows no quoting.
    fn label(&self, label: At<&'t str>, longest: usize) -> Option<At<&'t str>> {
        let forbidden = |c: &char| c.is_control() || *c == ',' || *c == ';';
        let problem = match label.value.chars().find(forbidden) {
            Some(c) => {
                let what = format!("a label cannot contain {}", quote(&c.to_string()));
                Problem::new(label.place, what)
            }
            None if label.value.chars().count() > longest => {
                Problem::new(label.place, "the label is too long")
                    .label(format!("{longest} characters at most"))
            }
            None if label.value.trim().is_empty() => {
                Problem::new(label.place, "a label cannot be empty")
            }
            None => return Some(label),
        };
        self.report(
            problem.help("labels are fields of `result.csv`: one line, without `,` and `;`"),
        );
        None
    }

    fn sentence(&self, text: At<&'t str>, longest: usize) -> Option<At<&'t str>> {
        let At { value, place } = text;
        let is_line = !value.trim().is_empty() && !value.chars().any(char::is_control);
        if is_line && value.chars().count() <= longest {
            return Some(text);
        }
        let what = format!("a sentence has one line, of at most {longest} characters");
        self.report(Problem::new(place, what));
        None
    }

    /// The name of a Debian package (Debian policy, 5.6.1).
    fn package(&self, text: At<&'t str>, longest: usize) -> Option<At<&'t str>> {
        let At { value, place } = text;
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let all = value.chars().all(|c| letter(c) || "+-.".contains(c));
        if value.len() <= longest && value.starts_with(letter) && all {
            return Some(text);
        }
        let what = format!("{} names no package", quote(value));
        let help = "it is the name for `apt-get install`; other ways go into `install:`";
        self.report(Problem::new(place, what).help(help));
        None
    }

    /// Texts by name, each of a form.
    pub fn string_map(&self, id: NodeId, names: Form, texts: Form) -> Option<StringMap> {
        let fields = self.fields(id, "a mapping of names to texts", true)?;
        let mut found = IndexMap::new();
        for entry in fields.entries() {
            let key = At {
                value: entry.key.as_str(),
                place: entry.key_place,
            };
            let key = self.check_form(key, names);
            let text = match &self.tree.get(entry.value).kind {
                Kind::Scalar(scalar) if scalar.value == Value::Null => {
                    self.expected(entry.value, "text", "for an empty text write `\"\"`")
                }
                _ => self.formed(entry.value, texts),
            };
            if let (Some(key), Some(text)) = (key, text) {
                found.insert(key.value.to_owned(), text.value.to_owned());
            }
        }
        Some(found)
    }

    /// A duration in whole seconds: iperf3 and netperf drop a fraction of a second, and run for ever
    /// when told 0.
    pub fn whole_seconds(&self, id: NodeId, limits: Limits) -> Option<At<Duration>> {
        let At { value, place } = self.quantity::<Duration>(id)?;
        let seconds = value.0.as_secs();
        let problem = if value.0.subsec_nanos() != 0 {
            let above = seconds.saturating_add(1);
            Problem::new(place, format!("`{value}` is not a whole number of seconds"))
                .label(format!("write `{above}s`"))
                .help(
                    "iperf3 and netperf drop a fraction of a second; what is left of `0.5s` is endless",
                )
        } else if seconds < limits.least {
            Problem::new(place, format!("`{value}` is too short"))
                .label(format!("write `{}s` or more", limits.least))
                .help("iperf3 and netperf take 0 seconds for endless")
        } else if seconds > limits.most {
            let most = seconds_text(limits.most);
            Problem::new(place, format!("`{value}` is too long")).help(format!("at most `{most}`"))
        } else {
            return Some(At { value, place });
        };
        self.report(problem);
        None
    }
}

//! The decoder of `objects:`, the files of Kubernetes objects of a variant.

use super::tree::decoder::Decoder;
use super::tree::fields::Fields;
use crate::diag::{Problem, quote};
use crate::plan::describe::keys::OBJECT_FILE;
use crate::plan::model::objects::{MOST_OBJECT_BYTES, ObjectFile};
use crate::plan::model::tools::template_bounds;
use crate::plan::text::tree::NodeId;

/// The files of a variant. `bytes` counts those of all variants.
pub fn objects(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    bytes: &mut usize,
) -> Vec<ObjectFile> {
    let items = fields.list("objects").into_iter().flatten();
    let files = items.filter_map(|item| {
        let file = object_file(decoder, *item)?;
        let before = *bytes;
        *bytes += file.text.len();
        if *bytes > MOST_OBJECT_BYTES && before <= MOST_OBJECT_BYTES {
            let what = format!(
                "the files of all variants have more than {} KiB together",
                MOST_OBJECT_BYTES >> 10
            );
            let problem = Problem::new(decoder.place(*item), what);
            let help = "write what repeats as a loop: `{% for i in range(1000) %}`";
            decoder.report(problem.help(help));
        }
        Some(file)
    });
    files.collect()
}

fn object_file(decoder: &Decoder<'_>, id: NodeId) -> Option<ObjectFile> {
    if !decoder.is_mapping(id) {
        // A name whose file could not be read, which has been said, or no name at all.
        decoder.text(id);
        return None;
    }
    let fields = decoder.mapping(id, &OBJECT_FILE)?;
    let file = fields.text("file")?;
    let text = fields.string("text");
    let trust = fields.boolean("trust");
    let text = text?;
    if let Err(too_much) = template_bounds::check(&text) {
        let what = format!("{} cannot be a template: {too_much}", quote(file.value));
        decoder.report(Problem::new(file.place, what));
    }
    Some(ObjectFile {
        file: file.value.to_owned(),
        text,
        trust,
    })
}

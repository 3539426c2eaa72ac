//! The decoder of `paths`, where something names paths.

use super::tree::decoder::Decoder;
use super::tree::fields::Fields;

/// Reads `paths`: names of paths, each once.
pub fn path_names(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    known: Option<&[&str]>,
) -> Option<Vec<String>> {
    let items = fields.list("paths")?;
    let mut seen = std::collections::HashMap::new();
    let found: Vec<Option<String>> = items
        .iter()
        .map(|item| {
            let name = match known {
                Some(known) => decoder.reference(*item, "path", known),
                None => decoder.text(*item),
            }?;
            if let Some(first) = seen.insert(name.value, *item) {
                decoder.duplicate(Some(item), Some(&first), name.value);
                seen.insert(name.value, first);
            }
            Some(name.value.to_owned())
        })
        .collect();
    found.into_iter().collect()
}

//! JSON documents in what a tool prints, also among other lines.

use serde_json::{Deserializer, Value};

/// The last complete object or array that begins a line and is `wanted`. Other lines are skipped, and
/// figures that are not a number are null.
pub(in crate::tools) fn last(text: &str, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let whole = |text: &str| serde_json::from_str(text).ok().filter(&wanted);
    whole(text).or_else(|| {
        let mended = without_nan(text);
        let text = mended.as_deref().unwrap_or(text);
        whole(text).or_else(|| search(text, &wanted))
    })
}

fn search(text: &str, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let mut found = None;
    let mut rest = text;
    while let Some(start) = line_start(rest) {
        let mut documents = Deserializer::from_str(start).into_iter::<Value>();
        let length = match documents.next() {
            Some(Ok(document)) => {
                if wanted(&document) {
                    found = Some(document);
                }
                documents.byte_offset()
            }
            // Incomplete up to the end: a document that was cut off, whose parts are not documents. A
            // bracket alone on a line may also be a message, if just one whole document follows.
            Some(Err(error)) if error.is_eof() => {
                return behind_brackets(start).filter(wanted).or(found);
            }
            Some(Err(_)) | None => start.find('\n').unwrap_or(start.len()),
        };
        rest = start.get(length..).unwrap_or_default();
    }
    found
}

/// The one document that is the whole rest of a text behind lines with nothing but an opening bracket.
fn behind_brackets(text: &str) -> Option<Value> {
    /// More such lines are not a message.
    const MAX_LINES: usize = 16;
    let ends = text.match_indices('\n').take(MAX_LINES);
    let mut start = 0;
    for (end, _) in ends {
        if !matches!(text.get(start..end)?.trim(), "" | "[" | "{") {
            return None;
        }
        start = end + 1;
        if let Ok(document) = serde_json::from_str(text.get(start..)?) {
            return Some(document);
        }
    }
    None
}

/// What begins at the next line that opens an object or an array.
fn line_start(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.starts_with(['{', '[']) {
            return Some(rest);
        }
        rest = rest.get(rest.find('\n')?..)?;
    }
}

/// The text with null for each `nan` and `inf` that C printed as a figure; `None` when it has none.
fn without_nan(text: &str) -> Option<String> {
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    let mut before = b' ';
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let word = matches!(before, b':' | b'[' | b',')
            .then(|| not_a_number(bytes.get(at..)?))
            .flatten();
        if let Some(length) = word {
            mended += text.get(copied..at)?;
            mended += "null";
            at += length;
            copied = at;
            before = b'l';
            continue;
        }
        if !byte.is_ascii_whitespace() {
            before = *byte;
        }
        at += 1;
    }
    mended += text.get(copied..)?;
    (copied > 0).then_some(mended)
}

/// The length of a `nan` or `inf` at the start, with its sign, if a figure may end behind it.
fn not_a_number(text: &[u8]) -> Option<usize> {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    ["nan", "infinity", "inf"].iter().find_map(|word| {
        let end = sign + word.len();
        let is_there = text.get(sign..end)?.eq_ignore_ascii_case(word.as_bytes());
        let next = text
            .get(end..)?
            .iter()
            .find(|byte| !byte.is_ascii_whitespace());
        (is_there && matches!(next, Some(b',' | b']' | b'}'))).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn with_end(text: &str) -> Option<Value> {
        last(text, |document| document.get("end").is_some())
    }

    #[test]
    fn a_document_is_found_among_lines() {
        let expected = Some(json!({"end": {"a": [1, 2]}}));
        for text in [
            "{\"end\": {\"a\": [1, 2]}}",
            "warning: {this} is no document\n{\n\t\"end\": {\n\t\t\"a\": [1,\n2]\n}}\nbye {\n",
            "{\"end\": {\"a\": [1, 2]}}\n{\"later\": 1}\n",
            "{ half\n{\"end\":{\"a\":[1,2]}}",
            "{\"cut\": {\n{\"end\":{\"a\":[1,2]}}",
            "[\n{\"end\":{\"a\":[1,2]}}\n",
            "{\n{\"end\":{\"a\":[1,2]}}\n",
            "[\r\n \n{\n[\n{\n\"end\":{\"a\":[1,2]}}",
        ] {
            assert_eq!(with_end(text), expected, "{text}");
        }
        assert_eq!(with_end("{\"other\": 1}\ntext"), None);
        assert_eq!(with_end("{\"cut\": [\n{\"end\": {}},\n"), None);
        // Of an array that was cut off, no item is a document.
        assert_eq!(with_end("[\n{\"end\": {}},\n"), None);
        assert_eq!(with_end("[\n{\"end\": {}},\n{\"end\": {}}\n"), None);
        assert_eq!(with_end("no document\n1\n"), None);
        assert_eq!(with_end(""), None);
    }

    #[test]
    fn figures_that_are_none_are_null() {
        let text = "{\"a\": -nan, \"b\": [nan, NaN,inf , -Infinity],\n\"end\": {\"c\":-nan\n}, \"d\": \"nan\"}";
        let expected = json!({
            "a": null, "b": [null, null, null, null], "end": {"c": null}, "d": "nan",
        });
        assert_eq!(with_end(text), Some(expected));
        assert_eq!(without_nan("{\"banana\": [1, \"nan\"]}"), None);
    }

    proptest! {
        #[test]
        fn a_document_is_found_in_any_text(
            before in "([^{\\[\n]{0,20}\n){0,3}", after in "\n([^{\\[]{0,20}\n){0,3}", key in "\\PC{0,9}",
            pretty: bool, nan: bool,
        ) {
            let mut expected = json!({"end": {key: [1.5, "x"]}});
            let mut document = if pretty {
                serde_json::to_string_pretty(&expected).unwrap()
            } else {
                expected.to_string()
            };
            if nan {
                document.insert_str(1, "\"n\": -nan, ");
                expected["n"] = Value::Null;
            }
            prop_assert_eq!(with_end(&format!("{before}{document}{after}")), Some(expected));
        }

        #[test]
        fn any_text_is_searched_to_its_end(text in "[{}\\[\\]\":,a1\n -]{0,200}|\\PC{0,100}") {
            let _ = with_end(&text);
            let _ = without_nan(&text);
        }
    }
}

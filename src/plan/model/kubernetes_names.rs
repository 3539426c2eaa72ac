//! The words of Kubernetes: names, labels, quantities. Each check says what is wrong with a text,
//! as the API server would, but before anything is applied.

use crate::diag::{Problem, quote};

/// A check of one text.
pub type Check = fn(&str) -> Result<(), Problem>;

fn wrong(text: &str, what: &str, help: &'static str) -> Result<(), Problem> {
    Err(Problem::without_place(format!("{} is {what}", quote(text))).help(help))
}

/// A name of most objects (RFC 1123 subdomain).
pub fn object_name(text: &str) -> Result<(), Problem> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |label: &str| {
        label.chars().all(|c| letter(c) || c == '-')
            && label.starts_with(letter)
            && label.ends_with(letter)
    };
    if text.len() <= 253 && text.split('.').all(label) {
        return Ok(());
    }
    wrong(
        text,
        "not a name of a Kubernetes object",
        "such names have `a` to `z`, `0` to `9`, `-` and `.`, and start and end with a letter or digit",
    )
}

/// A name of a namespace (RFC 1123 label).
///
/// # Errors
/// When the API server would refuse it.
pub fn namespace_name(text: &str) -> Result<(), Problem> {
    if text.len() <= 63 && !text.contains('.') && object_name(text).is_ok() {
        return Ok(());
    }
    wrong(
        text,
        "not a name of a namespace",
        "such names have `a` to `z`, `0` to `9` and `-`, 63 characters at most, and start and end with a \
         letter or digit",
    )
}

/// The part of a label's key after the `/`, and a label's value: `A-Z a-z 0-9 - _ .`, 63 at most.
fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text
            .chars()
            .all(|c| letter(c) || matches!(c, '-' | '_' | '.'))
        && text.starts_with(letter)
        && text.ends_with(letter)
}

/// The key of a label, annotation, taint or resource.
pub fn key(text: &str) -> Result<(), Problem> {
    let fits = match text.split_once('/') {
        Some((prefix, name)) => object_name(prefix).is_ok() && is_name(name),
        None => is_name(text),
    };
    if fits {
        return Ok(());
    }
    wrong(
        text,
        "not a Kubernetes key",
        "write e.g. `disk` or `example.com/disk`: letters, digits, `-`, `_` and `.`, 63 at most",
    )
}

/// The value of a label or taint.
pub fn label_value(text: &str) -> Result<(), Problem> {
    if text.is_empty() || is_name(text) {
        return Ok(());
    }
    wrong(
        text,
        "not a label value",
        "such values have letters, digits, `-`, `_` and `.`, 63 at most, and start and end with a letter or digit",
    )
}

/// The reference of an image: no spaces, and no upper case before the tag.
pub fn image(text: &str) -> Result<(), Problem> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let (path, tag) = match name.rsplit_once(':') {
        // A colon before a slash is that of a registry's port.
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let mut parts = path.split('/');
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_part = |part: &str| {
        part.starts_with(letter)
            && part.ends_with(letter)
            && part
                .chars()
                .all(|c| letter(c) || matches!(c, '.' | '_' | '-'))
    };
    let is_host = |host: &str| {
        let (name, port) = host.split_once(':').unwrap_or((host, "0"));
        port.parse::<u16>().is_ok()
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
    };
    let first = match path.split_once('/') {
        Some((host, _)) => {
            parts.next();
            is_host(host) || is_part(host)
        }
        None => true,
    };
    let is_tag = |tag: &str| {
        (1..=128).contains(&tag.len())
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
            && !tag.starts_with(['.', '-'])
    };
    let is_digest = |digest: &str| {
        digest.split_once(':').is_some_and(|(kind, hash)| {
            !kind.is_empty() && hash.len() >= 32 && hash.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    if first && parts.all(is_part) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest) {
        return Ok(());
    }
    wrong(
        text,
        "not an image reference",
        "write e.g. `registry.example.com/team/netplan:1.0` or `netplan@sha256:…`",
    )
}

/// A quantity of a resource in thousandths: `500m` is 500, `64Mi` is 64 · 2²⁰ · 1000.
///
/// What Kubernetes writes by exponents (`1e3`) is left out; nobody does.
///
/// # Errors
/// When it is not a number with one of Kubernetes' units.
pub fn quantity(text: &str) -> Result<u128, Problem> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: Option<u128> = match unit {
        "m" => Some(1),
        "" => Some(1_000),
        "k" => Some(1_000_000),
        "M" => Some(1_000_000_000),
        "G" => Some(1_000_000_000_000),
        "T" => Some(1_000_000_000_000_000),
        "Ki" => Some(1_000 << 10),
        "Mi" => Some(1_000 << 20),
        "Gi" => Some(1_000 << 30),
        "Ti" => Some(1_000 << 40),
        _ => None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let value = factor.and_then(|factor| {
        let scale = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
        let digits: u128 = format!("{whole}{part}").parse().ok()?;
        digits.checked_mul(factor).map(|value| value / scale)
    });
    value
        .filter(|_| !whole.is_empty() && !part.contains('.'))
        .ok_or_else(|| {
            Problem::without_place(format!("{} is not a Kubernetes quantity", quote(text)))
                .help("write e.g. `500m` or `2` for CPUs, `64Mi` or `1Gi` for bytes")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_from_other_texts() {
        let digest = format!("netplan@sha256:{}", "0a".repeat(32));
        for good in [
            "netplan",
            "netplan:0.1.0",
            "localhost:5000/a/b-c__d:V1.2_x",
            "Registry.example.com/netplan",
            &digest,
        ] {
            assert_eq!(image(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "Netplan",
            "a b",
            "a:",
            "a/:b",
            "/a",
            "a//b",
            "http://a/b",
            "a@sha256:12",
            "a:b c",
        ] {
            assert!(image(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn quantities_compare_across_units() {
        let value = |text| quantity(text).unwrap();
        assert_eq!(value("1"), value("1000m"));
        assert_eq!(value("0.5Gi"), value("512Mi"));
        assert!(value("1G") < value("1Gi"));
        for bad in [
            "",
            "m",
            "1 Gi",
            "-1",
            "1gb",
            "1.2.3",
            ".5",
            "1MB",
            "9999999999999999999999999999999999999999Ti",
        ] {
            assert!(quantity(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_have_an_optional_prefix() {
        for good in ["disk", "example.com/disk", "a.b_c-D"] {
            assert_eq!(key(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "a/", "A.com/a", "a/b/c", "-a", "a b"] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}

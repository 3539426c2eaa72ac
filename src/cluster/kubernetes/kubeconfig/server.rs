//! URLs of API servers and proxies: what is wrong with one, and how to write it.

use std::net::Ipv6Addr;

use http::Uri;

/// The URL, or what is wrong with it and how it is written right. `schemes` are those that are possible, the usual
/// one first.
pub(super) fn parse(text: &str, schemes: &[&str]) -> Result<Uri, (String, String)> {
    let usual = schemes[0];
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(("has no scheme".to_owned(), format!("{usual}://{text}")));
    };
    let one = |rest: &str| format!("{usual}://{rest}");
    if !schemes.contains(&scheme) {
        let what = format!(
            "has the scheme `{scheme}`, not {}",
            crate::diag::one_of(schemes.iter().copied())
        );
        return Err((what, one(rest)));
    }
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    if let Some(address) = bracketed(authority) {
        let what = "has an IPv6 address without brackets".to_owned();
        return Err((what, format!("{scheme}://{address}{path}")));
    }
    let example = format!("{scheme}://HOST:6443");
    let uri: Uri = text
        .parse()
        .map_err(|error| (format!("is not a URL ({error})"), example.clone()))?;
    let host = uri.host().unwrap_or_default();
    if host.trim_matches(['[', ']']).is_empty() {
        return Err(("has no host".to_owned(), example));
    }
    if host.starts_with('[') && host.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_err() {
        return Err((
            format!("has `{host}`, which is not an IPv6 address"),
            example,
        ));
    }
    // An impossible port would silently become the scheme's usual one.
    let after_host = authority.rsplit('@').next().unwrap_or_default();
    let port = after_host.strip_prefix(host).unwrap_or_default();
    if !port.is_empty() && uri.port_u16().is_none_or(|port| port == 0) {
        let what = format!(
            "has the port `{}`, not 1 to 65535",
            port.trim_start_matches(':')
        );
        return Err((what, format!("{scheme}://{host}:6443{path}")));
    }
    Ok(uri)
}

/// An IPv6 address that lacks its brackets, with them: `fd00::1:6443` is `[fd00::1]:6443`.
fn bracketed(authority: &str) -> Option<String> {
    if authority.contains('[') || authority.matches(':').count() < 2 {
        return None;
    }
    let is_address = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    match authority.rsplit_once(':') {
        Some((address, port))
            if is_address(address) && port.parse::<u16>().is_ok_and(|port| port > 999) =>
        {
            Some(format!("[{address}]:{port}"))
        }
        _ => is_address(authority).then(|| format!("[{authority}]:6443")),
    }
}

/// A URL without the user's name and password, so that messages can show it.
pub(super) fn without_password(url: &str) -> String {
    let Some((before, rest)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{rest}"),
        None => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_what_is_right() {
        for (text, says, right) in [
            ("127.0.0.1:6443", "has no scheme", "https://127.0.0.1:6443"),
            ("", "has no scheme", "https://"),
            (
                "ftp://h",
                "has the scheme `ftp`, not `https` or `http`",
                "https://h",
            ),
            ("https://", "is not a URL", "https://HOST:6443"),
            ("https:///path", "is not a URL", "https://HOST:6443"),
            ("https://[]:1", "", "https://HOST:6443"),
            ("https://[g]:1", "", "https://HOST:6443"),
            ("https://a b", "is not a URL", "https://HOST:6443"),
            ("https://:6443", "", "https://HOST:6443"),
            (
                "https://h:99999",
                "has the port `99999`, not 1 to 65535",
                "https://h:6443",
            ),
            (
                "https://h:0/x",
                "has the port `0`, not 1 to 65535",
                "https://h:6443/x",
            ),
            (
                "https://h:",
                "has the port ``, not 1 to 65535",
                "https://h:6443",
            ),
            (
                "https://fd00::1:6443",
                "without brackets",
                "https://[fd00::1]:6443",
            ),
            (
                "https://fd00::1/x",
                "without brackets",
                "https://[fd00::1]:6443/x",
            ),
            ("https://::1", "without brackets", "https://[::1]:6443"),
        ] {
            let (what, help) = parse(text, &["https", "http"]).expect_err(text);
            assert!(
                what.contains(says) && help == right,
                "{text}: {what}; {help}"
            );
        }
        for right in [
            "https://h",
            "http://h:1/k8s/c-1",
            "https://[fd00::1]:6443",
            "https://u:p@h:6443/",
        ] {
            assert!(parse(right, &["https", "http"]).is_ok(), "{right}");
        }
        for (url, shown) in [
            ("http://me:secret@proxy:3128/", "http://proxy:3128/"),
            ("me:secret@proxy:3128", "proxy:3128"),
            ("http://proxy:3128/", "http://proxy:3128/"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    proptest! {
        /// kube joins the URL with paths, and panics where that is not possible.
        #[test]
        fn what_passes_can_be_joined(
            text in prop_oneof![
                any::<String>(),
                "(https?://)?[a-z0-9.:@\\[\\]%?#/ -]{0,20}",
                "https?://[a-z0-9.]{1,9}(:[0-9]{0,6})?(/[a-z?#%]{0,9})?",
            ],
        ) {
            if let Ok(uri) = parse(&text, &["https", "http"]) {
                let base = uri.path_and_query().map_or("", |path| path.as_str()).trim_end_matches('/');
                let joined = Uri::builder()
                    .scheme(uri.scheme_str().unwrap_or_default())
                    .authority(uri.authority().map_or("", |authority| authority.as_str()))
                    .path_and_query(format!("{base}/version?a=b"))
                    .build();
                prop_assert!(joined.is_ok(), "{} {:?}", text, joined);
            }
        }
    }
}

//! The proxy on the way to an API server: that of the kubeconfig, else that of the environment, as with kubectl.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::server;
use crate::diag::Problem;

/// What kube can go through; kubectl takes the same.
const SCHEMES: &[&str] = &["http", "https", "socks5"];

/// The proxy that a kubeconfig names with `proxy-url`. `NO_PROXY` has no say in it.
pub(super) fn named(url: &str, cluster: &str) -> Result<Uri, Problem> {
    server::parse(url, SCHEMES).map_err(|(what, right)| {
        Problem::without_place(format!(
            "`proxy-url` of {cluster} {what}: `{}`",
            server::without_password(url)
        ))
        .help(format!(
            "write `proxy-url: {}`",
            server::without_password(&right)
        ))
    })
}

/// The proxy that the environment names for this server, by Go's rules
/// (<https://pkg.go.dev/golang.org/x/net/http/httpproxy>): none on the way to this machine's loopback.
pub(super) fn from_environment(
    server: &Uri,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, Problem> {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    if host == "localhost" || is_loopback {
        return Ok(None);
    }
    let first = |names: [&'static str; 2]| {
        let mut set = names
            .into_iter()
            .filter_map(|name| Some((name, variable(name)?)));
        set.find(|(_, value)| !value.is_empty())
    };
    let names = if server.scheme_str() == Some("http") {
        ["HTTP_PROXY", "http_proxy"]
    } else {
        ["HTTPS_PROXY", "https_proxy"]
    };
    let Some((name, url)) = first(names) else {
        return Ok(None);
    };
    if let Some((_, exceptions)) = first(["NO_PROXY", "no_proxy"]) {
        let any = "http://proxy.invalid";
        let matcher = Matcher::builder().all(any).no(exceptions).build();
        if matcher.intercept(server).is_none() {
            return Ok(None);
        }
    }
    let whole = if url.contains("://") {
        url.clone()
    } else {
        format!("http://{url}")
    };
    server::parse(&whole, SCHEMES)
        .map(Some)
        .map_err(|(what, right)| {
            Problem::without_place(format!(
                "the proxy in {name} {what}: `{}`",
                server::without_password(&url)
            ))
            .help(format!(
                "set {name}={}, or unset it",
                server::without_password(&right)
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(server: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match from_environment(&server.parse().unwrap(), find) {
            Ok(proxy) => Ok(proxy.map(|proxy| proxy.to_string())),
            Err(problem) => Err(problem.to_string()),
        }
    }

    #[test]
    fn the_environment_has_its_say_as_with_kubectl() {
        let through = |url: &str| Ok(Some(url.to_owned()));
        let https = ("HTTPS_PROXY", "http://p:3128");
        for (server, variables, expected) in [
            (
                "https://10.0.0.1:6443",
                vec![https],
                through("http://p:3128/"),
            ),
            (
                "https://10.0.0.1:6443",
                vec![("https_proxy", "p:3128")],
                through("http://p:3128/"),
            ),
            (
                "https://10.0.0.1:6443",
                vec![("HTTP_PROXY", "http://p")],
                Ok(None),
            ),
            (
                "http://10.0.0.1:8080",
                vec![("http_proxy", "http://p")],
                through("http://p/"),
            ),
            // kind and k3d are not behind a company's proxy.
            ("https://127.0.0.1:33253", vec![https], Ok(None)),
            ("https://[::1]:33253", vec![https], Ok(None)),
            ("https://localhost:33253", vec![https], Ok(None)),
            (
                "https://10.0.0.1",
                vec![https, ("NO_PROXY", "10.0.0.0/8,")],
                Ok(None),
            ),
            (
                "https://10.0.0.1",
                vec![https, ("no_proxy", "192.168.0.0/16, *.x")],
                through("http://p:3128/"),
            ),
            (
                "https://api.corp.example",
                vec![https, ("NO_PROXY", ".corp.example")],
                Ok(None),
            ),
            (
                "https://api.corp.example",
                vec![https, ("NO_PROXY", "*")],
                Ok(None),
            ),
            (
                "https://api.corp.example",
                vec![("HTTPS_PROXY", ""), ("NO_PROXY", "x")],
                Ok(None),
            ),
        ] {
            assert_eq!(
                proxy(server, &variables),
                expected,
                "{server} {variables:?}"
            );
        }
        let wrong = proxy("https://h", &[("HTTPS_PROXY", "http://p:99999")]).unwrap_err();
        assert!(
            wrong.contains("the proxy in HTTPS_PROXY has the port `99999`"),
            "{wrong}"
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        for url in [
            "http://me:secret@p:99999",
            "me:secret@p:99999",
            "ftp://me:secret@p",
        ] {
            let variable = proxy("https://h", &[("HTTPS_PROXY", url)]).unwrap_err();
            let problem = named(url, "cluster `c`").unwrap_err();
            for words in [variable, problem.to_string()] {
                assert!(!words.contains("secret"), "{words}");
            }
        }
    }

    #[test]
    fn a_named_proxy_has_a_scheme_that_works() {
        assert!(named("socks5://127.0.0.1:1080", "c").is_ok());
        for wrong in [
            "proxy:3128",
            "socks4://p",
            "http://",
            "https://fd00::1:3128",
        ] {
            let problem = named(wrong, "cluster `c`").unwrap_err();
            assert!(
                problem.what.starts_with("`proxy-url` of cluster `c` "),
                "{problem}"
            );
        }
    }
}

//! What the page may do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

/// A Content-Security-Policy (W3C, level 3) that permits one inline style sheet and one inline program, by
/// their hashes, and an empty icon; no request, no frame, no form.
pub fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| {
        format!(
            "'sha256-{}'",
            STANDARD.encode(digest(&SHA256, text.as_bytes()))
        )
    };
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_sha_256() {
        // FIPS 180-4's example of `abc`.
        assert!(
            policy("", "abc")
                .contains("script-src 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='")
        );
    }
}

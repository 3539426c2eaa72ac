//! The run's token on every call: `authorization: Bearer <token>`.

use std::hint::black_box;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

const HEADER: &str = "authorization";

/// Puts the token on every call that a client makes.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Bearer {
    /// `None` when the token has characters that a header cannot carry.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        let mut value = MetadataValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(HEADER, self.0.clone());
        Ok(request)
    }
}

/// Lets only calls through that carry the run's token.
#[derive(Clone)]
pub struct Guard {
    expected: String,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard(…)")
    }
}

impl Guard {
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self {
            expected: format!("Bearer {token}"),
        }
    }
}

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request.metadata().get(HEADER);
        if shown.is_some_and(|shown| same(shown.as_encoded_bytes(), self.expected.as_bytes())) {
            Ok(request)
        } else {
            Err(Status::unauthenticated(
                "the token is missing or not this run's",
            ))
        }
    }
}

/// Compares in a time that depends on the lengths alone.
fn same(a: &[u8], b: &[u8]) -> bool {
    let difference = a
        .iter()
        .zip(b)
        .fold(0, |all, (a, b)| black_box(all | (a ^ b)));
    a.len() == b.len() && black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_token_passes() {
        let mut guard = Guard::new("secret");
        let pass = |guard: &mut Guard, header: Option<&str>| {
            let mut request = Request::new(());
            if let Some(header) = header {
                request
                    .metadata_mut()
                    .insert(HEADER, header.parse().unwrap());
            }
            guard.call(request).is_ok()
        };
        assert!(pass(&mut guard, Some("Bearer secret")));
        for wrong in [
            "",
            "secret",
            "Bearer",
            "Bearer secre",
            "Bearer secrets",
            "bearer secret",
        ] {
            assert!(!pass(&mut guard, Some(wrong)), "{wrong}");
        }
        assert!(!pass(&mut guard, None));
        let sent = Bearer::new("secret")
            .unwrap()
            .call(Request::new(()))
            .unwrap();
        assert!(guard.call(sent).is_ok());
        assert!(Bearer::new("a\nb").is_none());
    }
}

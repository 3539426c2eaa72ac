//! The gRPC contract in Rust: generated code, TLS, tokens, conversions. Nothing here decides.

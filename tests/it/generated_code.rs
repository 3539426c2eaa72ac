//! The committed gRPC code is what the generator makes of `proto/`.

use crate::schema::committed;

#[test]
fn the_committed_grpc_code_is_current() {
    let folder = tempfile::tempdir().unwrap();
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let descriptors = protox::compile(["netplan/v1/netplan.proto"], [proto]).unwrap();
    tonic_prost_build::configure()
        .out_dir(folder.path())
        .compile_fds(descriptors)
        .unwrap();
    let generated = std::fs::read_to_string(folder.path().join("netplan.v1.rs")).unwrap();
    committed("src/rpc/generated/netplan.v1.rs", &generated);
}

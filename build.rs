//! Generates the gRPC code of `proto/` without a system `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // compile_fds() takes descriptors, so cargo must be told of the sources here.
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["netplan/v1/netplan.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

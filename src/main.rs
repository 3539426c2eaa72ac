//! The `netplan` program; all of it is in the library.

fn main() -> std::process::ExitCode {
    netplan::cli::main()
}

//! The binary. Everything is in the library beside it, where parsers can be fuzzed.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    grantor_cli::run()
}

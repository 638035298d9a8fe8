//! libFuzzer's side: it calls the target that `DIAG_FUZZ_TARGET` names with one input after the other, without the guard
//! that `DIAG_FUZZ_WITHOUT` names.
#![no_main]

use std::sync::LazyLock;

#[cfg(diag_fuzz)]
use diag_core::budget::Guard;
use fuzz::{TARGETS, Target};

// LLVM's pass calls it at the begin of each block of code; written in Rust it would be called for itself. libFuzzer has
// one that does nothing, which comes later.
#[cfg(diag_fuzz)]
core::arch::global_asm!(
    ".globl __sanitizer_cov_trace_pc",
    "__sanitizer_cov_trace_pc:",
    "incq {blocks}(%rip)",
    "ret",
    blocks = sym fuzz::BLOCKS,
    options(att_syntax)
);

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    #[cfg(diag_fuzz)]
    if let Ok(wanted) = std::env::var("DIAG_FUZZ_WITHOUT") {
        let found = Guard::ALL.iter().find(|(_, name)| *name == wanted);
        diag_core::budget::take_out(found.expect("DIAG_FUZZ_WITHOUT names a guard").0);
    }
    let name = std::env::var("DIAG_FUZZ_TARGET").unwrap_or_default();
    TARGETS.iter().find(|target| target.name == name).expect("DIAG_FUZZ_TARGET names a target")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.run(bytes));

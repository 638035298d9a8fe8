//! How much is done, counted by nobody who is judged: blocks of code that are executed, where the compiler was asked to
//! count them (`cargo xtask fuzz`), and what libFuzzer is told of it, so that it looks for inputs that take more.

use std::sync::atomic::{AtomicU64, Ordering};

/// Blocks of code that were executed; libFuzzer's program counts them.
pub static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// Blocks of code that were executed so far; 0 where nobody counts them.
pub(crate) fn blocks() -> u64 {
    BLOCKS.load(Ordering::Relaxed)
}

/// Of each amount that is told, and steps of each: four for every power of two.
#[cfg(feature = "libfuzzer")]
const KINDS: usize = 8;
#[cfg(feature = "libfuzzer")]
const STEPS: usize = 256;

/// libFuzzer's own section for what else than code counts: an input that sets another byte of it is kept.
#[cfg(feature = "libfuzzer")]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static REACHED: [std::sync::atomic::AtomicU8; KINDS * STEPS] =
    [const { std::sync::atomic::AtomicU8::new(0) }; KINDS * STEPS];

/// Tells libFuzzer how large some amounts were.
pub(crate) fn tell(amounts: &[u64]) {
    #[cfg(feature = "libfuzzer")]
    for (amount, place) in amounts.iter().zip(REACHED.chunks_exact(STEPS)) {
        let bits = amount.checked_ilog2().unwrap_or(0);
        let quarter = if bits < 2 { 0 } else { amount >> (bits - 2) & 3 };
        place[bits as usize * 4 + usize::try_from(quarter).unwrap_or(0)].store(1, Ordering::Relaxed);
    }
    #[cfg(not(feature = "libfuzzer"))]
    let _ = amounts;
}

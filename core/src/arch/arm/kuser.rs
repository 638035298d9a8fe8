//! The page of the kernel's helpers (arch/arm/kernel/entry-armv.S `__kuser_helper_start`; CONFIG_KUSER_HELPERS).

use crate::candidate::{Image, Program};
use crate::exec::go::level_of;

/// Go's runtime for ARMv5 and ARMv6 calls `__kuser_memory_barrier` and `__kuser_cmpxchg` there
/// (internal/runtime/atomic/sys_linux_arm.s); that for ARMv7 has instructions in their place.
pub(super) fn fixed_page(program: &Program, _: &Image) -> Option<&'static str> {
    let (level, _) = level_of(program.go.as_ref()?)?;
    matches!(level, "5" | "6").then_some("[vectors]")
}

//! What was made for a guard of a judgement is counted as that guard has it; `cargo xtask fuzz --guards` tries the same
//! without the guard.

use diag_core::budget::Guard;
use fuzz::targets::ATTACKS;

#[test]
fn each_is_counted() {
    for attack in &ATTACKS {
        println!("{}", attack.guard);
        attack.run();
    }
}

/// By what libFuzzer found, or what was made for it.
#[test]
fn each_guard_is_shown_to_be_needed() {
    for (_, guard) in Guard::ALL {
        let is_found = fuzz::folder("guards").join(guard).is_file();
        let is_made = ATTACKS.iter().any(|attack| attack.guard == *guard);
        assert!(is_found != is_made, "{guard}");
    }
}

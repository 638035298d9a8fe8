//! Compiles the runner for this computer: static where the C library can be linked so, since it then starts faster.

use std::env;
use std::path::Path;

const SOURCE: &str = "src/runner.c";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let program = Path::new(&out).join("runner");
    let compiler = cc::Build::new().opt_level(2).get_compiler();
    let built = ["-static", "-O2"].into_iter().any(|how| {
        let mut command = compiler.to_command();
        command.args([how, "-Wall", "-Wextra", "-o"]).arg(&program).arg(SOURCE);
        command.status().is_ok_and(|status| status.success())
    });
    assert!(built, "{SOURCE} could not be compiled with {}", compiler.path().display());
}

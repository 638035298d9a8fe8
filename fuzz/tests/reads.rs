//! The n-th of all that a judgement asks a machine for fails, for every n: that is told as itself, and nothing else is made
//! of it.

use std::fs;

use diag_core::errno::Errno;
use diag_core::exec::Outcome;
use diag_core::judge;
use diag_core::ldso::Kept;
use diag_core::path::PathBuf;
use diag_core::report::{Judged, Parts, Style, Verdict};
use diag_core::target::Target;
use fuzz::memory::{File, Machine};
use testkit::Elf;

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
const VERBOSE: Style = Style { colour: false, quiet: false, verbose: true };

fn judge(machine: &Machine, path: &str) -> (Judged, String) {
    let mut facts = diag_core::machine::Machine::new(Target::new(machine));
    let judged = judge::judge(&mut facts, &Kept::default(), &PathBuf::from(path), None);
    let shown = Parts::new(false, VERBOSE).program(&judged);
    (judged, shown)
}

/// With the calls from the n-th on that fail, or that one alone.
fn each(name: &str, make: &dyn Fn() -> Machine, path: &str) {
    let whole = make();
    let (judged, _) = judge(&whole, path);
    let calls = whole.asked().calls.get();
    assert_eq!(judged.outcome, Outcome::Starts, "{name}");
    println!("{name}: {calls} calls");
    let mut wrong = Vec::new();
    for errno in [Errno::EIO, Errno::ESTALE, Errno::ENXIO, Errno::EACCES] {
        for goes_on in [false, true] {
            for call in 0..calls {
                let machine = make();
                machine.asked().fails.set(Some((call, goes_on, errno)));
                let (found, shown) = judge(&machine, path);
                let (what, of) = machine.asked().failed.borrow().clone().expect("it comes to that call");
                let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                let named = said.contains(errno.name()) || said.contains(errno.text());
                let is_right = match found.outcome {
                    outcome if outcome == judged.outcome => true,
                    Outcome::Starts => false,
                    _ => named && found.verdict() != Verdict::Starts,
                };
                if std::env::var_os("SHOW").is_some() {
                    println!("{what} {} {}\n{shown}", String::from_utf8_lossy(&of), errno.name());
                }
                if !is_right {
                    wrong.push(format!(
                        "{name}: {what} {} {} {goes_on} {call}: {:?}\n{shown}",
                        String::from_utf8_lossy(&of),
                        errno.name(),
                        found.outcome
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_program_of_this_computer() {
    let files = [
        "/bin/bash",
        LOADER,
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib/x86_64-linux-gnu/libtinfo.so.6",
        "/etc/ld.so.cache",
    ];
    let make = || {
        let mut machine = Machine::of("x86-64");
        for path in files {
            if let Ok(bytes) = fs::read(path) {
                machine.put(path, bytes.into());
            }
        }
        machine
    };
    each("bash", &make, "/bin/bash");
}

#[test]
fn a_script() {
    let make = || {
        let mut machine = Machine::of("lenovo-y1");
        machine.put("/tmp/script", b"#!/bin/sh\necho\n".to_vec().into());
        machine
    };
    each("script", &make, "/tmp/script");
}

#[test]
fn a_program_for_musl() {
    let make = || {
        let mut machine = Machine::of("lenovo-y1");
        let loader = "/lib/ld-musl-mipsel-sf.so.1";
        let library =
            Elf::of("mipsel").base(0).set("e_type", 3).set("PT_LOAD.p_flags", 7).dynamic(14, "libc.so");
        machine.put(loader, library.clone().symbol("free", true).data(&[1; 9000]).build().into());
        machine.put("/lib/liba.so", library.symbol("puts", true).data(&[1; 9000]).build().into());
        let program =
            Elf::of("mipsel").data(&[1; 9000]).interp(loader).needed("liba.so").symbol("puts", false);
        machine.put("/tmp/program", program.build().into());
        machine
    };
    each("musl", &make, "/tmp/program");
}

/// Its headers, and the name of its loader, lie behind its first page.
#[test]
fn headers_apart() {
    let make = || {
        let mut machine = Machine::of("lenovo-y1");
        let loader = "/lib/ld-musl-mipsel-sf.so.1";
        let library = Elf::of("mipsel").base(0).set("e_type", 3).set("PT_LOAD.p_flags", 7);
        machine.put(loader, library.dynamic(14, "libc.so").data(&[1; 9000]).build().into());
        let program = Elf::of("mipsel").interp(loader).needed("libc.so");
        let headers = program.build();
        let (start, size) = (52, 32 * program.segments());
        let name = [loader.as_bytes(), b"\0"].concat();
        let parts = vec![
            (8192, 8192 + size as u64, headers[start..start + size].to_vec()),
            (12_288, 12_288 + name.len() as u64, name),
        ];
        let program = program.set("e_phoff", 8192).set("PT_INTERP.p_offset", 12_288);
        machine.put("/tmp/program", File { head: program.build(), parts });
        machine
    };
    each("headers", &make, "/tmp/program");
}

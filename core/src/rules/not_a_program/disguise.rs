//! Texts that stand for a file, and what makes that of them.
use super::super::shown::{Quoted, Shown};
use super::super::{Case, words};
use crate::candidate::foreign::Disguise;
use crate::finding::Found;
use crate::machine::holds;

pub(super) fn check(case: &Case<'_>, disguise: &Disguise) -> Found {
    let (kernel, argument) = (case.unhandled(words::TEXT_AS_SCRIPT), case.argument());
    match disguise {
        Disguise::Link(target) => case.error(format_args!(
            "\
is a symbolic link that became a file: all that is in it is where it led
program: content={}
kernel:  {kernel}
fix:     make it a link again, or unpack it (git: core.symlinks) where there are links:
run:     ln -sf {} {argument}",
            Shown(target),
            Quoted(target.as_slice().as_ref()),
        )),
        Disguise::Kind(kind) => {
            let says_it = [&b", not "[..], b"a program"].iter().any(|part| holds(kind.what.as_bytes(), part));
            let tail = if says_it { "" } else { ", not a program" };
            let mut finding = case.error(format_args!(
                "\
is {}{tail}
kernel:  {kernel}
fix:     {}",
                kind.what, kind.fix
            ));
            let command = kind.command;
            match command.split(' ').next() {
                Some("git" | "dvc") => finding.tell(format_args!("run: {command}")),
                Some("uudecode") => finding.tell(format_args!("run: {command} {argument}")),
                Some("base64" | "xxd") => {
                    finding.tell(format_args!("run: {command} {argument} > {argument}.out"));
                }
                _ => {}
            }
            finding
        }
    }
}

//! What commands would print, as [`crate::recorded`] reads it.

use std::fmt;

use super::kept::{VARIABLES, is_private};
use super::{EVERY, Recording};
use crate::machine::{Machine, Mount};

/// What `df -B1` has at its head.
const DF: &[u8] = b"Filesystem 1B-blocks Used Available Use% Mounted on\n";

impl Recording<'_, '_> {
    /// What commands would print.
    pub(super) fn notes(&mut self, machine: &Machine) -> fmt::Result {
        let kernel = self.target.kernel;
        if let Some(uname) = kernel.uname() {
            // In the place of the host name.
            let text = ["Linux - ", &uname.release, " ", &uname.machine, "\n"].concat();
            self.file(b"/uname", text.as_bytes())?;
        }
        let auxv = kernel.auxv();
        let mut text = Vec::new();
        number(&mut text, "AT_HWCAP ", auxv.hwcap);
        number(&mut text, "AT_HWCAP2 ", auxv.hwcap2);
        number(&mut text, "AT_PAGESZ ", auxv.page_size);
        word(&mut text, "AT_PLATFORM ", auxv.platform.as_deref());
        word(&mut text, "AT_BASE_PLATFORM ", auxv.base_platform.as_deref());
        self.file(b"/auxv", &text)?;
        text.clear();
        for (question, fact) in &machine.answers {
            if let Some(answer) = fact.value {
                text.extend_from_slice(question.name().as_bytes());
                word(&mut text, " ", Some(&answer.words()));
            }
        }
        self.file(b"/answers", &text)?;
        // On a router that is root, without limits.
        if let Some(caller) = kernel.caller().filter(|_| EVERY) {
            text.clear();
            for (name, real, effective) in
                [("Uid:\t", caller.uid, caller.euid), ("Gid:\t", caller.gid, caller.egid)]
            {
                word(&mut text, name, Some(&format!("{real}\t{effective}")));
            }
            number(&mut text, "NoNewPrivs:\t", Some(caller.no_new_privs.into()));
            self.file(b"/proc/self/status", &text)?;
        }
        if EVERY {
            let limits = kernel.limits();
            text.clear();
            number(&mut text, "Max address space ", limits.address_space);
            number(&mut text, "Max data size ", limits.data);
            number(&mut text, "Max stack size ", limits.stack);
            self.file(b"/proc/self/limits", &text)?;
        }
        text.clear();
        for name in VARIABLES {
            if let Some(value) = kernel.variable(name) {
                // In the place of a person's folder stands another, of which nothing is known either.
                let is_shown =
                    !value.contains(&b'\n') && !is_private(&[&value, &b"/"[..]].concat(), &self.home);
                text.extend_from_slice(name.to_bytes());
                text.push(b'=');
                text.extend_from_slice(if is_shown { &value } else { b"/home" });
                text.push(b'\n');
            }
        }
        self.file(b"/env", &text)?;
        self.mounts(machine)
    }

    /// What is mounted, and what room there is: without what it is mounted from.
    fn mounts(&mut self, machine: &Machine) -> fmt::Result {
        let Some(mounts) = machine.mounts().get() else { return Ok(()) };
        let (mut text, mut df) = (Vec::new(), Vec::from(DF));
        for mount in mounts {
            let Mount { point, fstype, options, .. } = mount;
            let point = point.as_bytes();
            if is_private(&[point, b"/"].concat(), &self.home) || point.contains(&b'\n') {
                continue;
            }
            let mut line = [fstype.as_bytes(), b" "].concat();
            for byte in point {
                match byte {
                    b' ' => line.extend_from_slice(b"\\040"),
                    b'\t' => line.extend_from_slice(b"\\011"),
                    b'\\' => line.extend_from_slice(b"\\134"),
                    _ => line.push(*byte),
                }
            }
            // Of an overlay: its upper layer.
            let options = if EVERY && is_private(options.as_bytes(), &self.home) { "rw" } else { options };
            for part in [&*line, b" ", fstype.as_bytes(), b" ", options.as_bytes(), b" 0 0\n"] {
                text.extend_from_slice(part);
            }
            if let Some(space) = machine.space(mount) {
                let row = format!("{fstype} {} 0 {} 0% ", space.size, space.available);
                df.extend_from_slice(&[row.as_bytes(), point, b"\n"].concat());
            }
        }
        self.file(b"/proc/mounts", &text)?;
        self.file(b"/df", &df)
    }
}

/// A line of a name and a number; none without one.
fn number(text: &mut Vec<u8>, name: &str, number: Option<u64>) {
    word(text, name, number.map(|number| number.to_string()).as_deref());
}

/// The same of a name and a word.
fn word(text: &mut Vec<u8>, name: &str, word: Option<&str>) {
    if let Some(word) = word {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(word.as_bytes());
        text.push(b'\n');
    }
}

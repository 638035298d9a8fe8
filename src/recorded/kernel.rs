//! What the kernel of a recorded machine tells.

use std::ffi::CStr;

use super::Recorded;
use super::texts::{answer, auxv, caller, limits, uname};
use crate::path::Path;
use crate::target::{Answer, Auxv, Caller, Capability, Kernel, Known, Limits, Uname};

impl Kernel for Recorded {
    fn uname(&self) -> Known<Uname> {
        uname(&self.note("uname")?)
    }

    fn auxv(&self) -> Auxv {
        self.note("auxv").map(|text| auxv(&text)).unwrap_or_default()
    }

    fn limits(&self) -> Limits {
        let text = self.text(Path::new("/proc/self/limits")).unwrap_or_default();
        limits(&String::from_utf8_lossy(&text))
    }

    fn caller(&self) -> Known<Caller> {
        let text = self.text(Path::new("/proc/self/status")).ok()?;
        caller(&String::from_utf8_lossy(&text))
    }

    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        let text = self.note("env")?;
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(known, _)| known.as_bytes() == name.to_bytes()).map(|(_, value)| value.into())
    }

    fn ask(&self, question: Capability) -> Known<Answer> {
        answer(&self.note("answers")?, question.name())
    }

    #[cfg(feature = "catalogue")]
    fn catalogue_name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

//! Machines and files made by hand, one fact at a time.

mod arm;
mod mips;
mod others;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::{Checked, Exit};
use super::layout::Bounds;
use super::*;
use crate::candidate::{Candidate, Content, Damage, Image, Interp, Noted};
use crate::elf::{AbiFlags, ByteOrder, Encoding, Header, ProgramHeader};
use crate::machine::{Abi, Cpu, Fact, KernelFacts, Release, Words};
use crate::path::PathBuf;
use crate::target::{Answer, Auxv, FileKind, Nothing, Stat, Target};

pub(crate) const REFUSED: &str = "ENOEXEC elf_check_arch";

fn known<T>(value: T) -> Fact<T> {
    Fact::new(Some(value), "a test")
}

fn words(text: &str) -> Fact<Words> {
    known(text.into())
}

fn cpu<'m>(machine: &'m mut Machine<'static>) -> &'m mut Cpu {
    machine.cpu();
    machine.cpu.get_mut().unwrap()
}

fn kernel<'m>(machine: &'m mut Machine<'static>) -> &'m mut KernelFacts {
    machine.kernel();
    machine.kernel.get_mut().unwrap()
}

/// A machine of which no more is known than these.
pub(crate) fn machine(
    e_machine: u16,
    class: Class,
    order: ByteOrder,
    release: (u8, u8, u16),
) -> Machine<'static> {
    let mut machine = Machine::new(Target { root: &Nothing, kernel: &Nothing });
    kernel(&mut machine).e_machine = known(e_machine);
    kernel(&mut machine).class = known(class);
    kernel(&mut machine).byte_order = known(order);
    kernel(&mut machine).release = known(Release { text: String::new(), version: release });
    kernel(&mut machine).page_size = known(4096);
    machine
}

/// What the kernel answers; None where it cannot be asked.
pub(crate) fn answer(
    mut machine: Machine<'static>,
    question: Capability,
    answer: Option<Answer>,
) -> Machine<'static> {
    machine.answers.push((question, Fact::new(answer, "a test")));
    machine
}

pub(crate) fn yes(machine: Machine<'static>, question: Capability) -> Machine<'static> {
    answer(machine, question, Some(Answer::Works))
}

pub(crate) fn no(machine: Machine<'static>, question: Capability) -> Machine<'static> {
    answer(machine, question, Some(Answer::Refused(Errno::ENOEXEC)))
}

/// A file of 4096 bytes.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) encoding: Encoding,
    pub(crate) header: Header,
    pub(crate) table: Vec<ProgramHeader>,
    pub(crate) abiflags: Option<AbiFlags>,
    pub(crate) osabi: u8,
    pub(crate) interpreter: Option<Box<File>>,
}

impl File {
    pub(crate) fn new(class: Class, order: ByteOrder, e_machine: u16, e_flags: u32) -> File {
        File {
            encoding: Encoding { order, class },
            header: Header { e_type: 2, e_machine, e_flags, e_entry: 0x40_0000, ..Header::default() },
            table: Vec::new(),
            abiflags: None,
            osabi: 0,
            interpreter: None,
        }
    }

    pub(crate) fn entry(mut self, e_entry: u64) -> File {
        self.header.e_entry = e_entry;
        self
    }

    pub(crate) fn segment(mut self, p_type: u32, p_flags: u32) -> File {
        self.table.push(ProgramHeader { p_type, p_flags, p_filesz: 24, ..ProgramHeader::default() });
        self
    }

    pub(crate) fn interp(mut self, interpreter: File) -> File {
        self.interpreter = Some(Box::new(interpreter));
        self
    }

    fn program(&self) -> Program {
        let mut ident = *b"\x7fELF\0\0\x01\0\0\0\0\0\0\0\0\0";
        ident[4] = if self.encoding.class == Class::Elf64 { 2 } else { 1 };
        ident[7] = self.osabi;
        let image = Rc::new(Image {
            gnu_property: Ok(()),
            encoding: self.encoding,
            header: self.header,
            program_headers: Ok(self.table.clone()),
            interp: self.interpreter.is_some().then(|| Interp::Path(b"/lib/ld.so".to_vec())),
            abiflags: self.abiflags,
            attributes: None,
            apus: Vec::new(),
            x86_code: None,
            dynamic: None,
            abi_tag: None,
            noted: Noted::default(),
            is_go: false,
            descriptor: None,
            x86_isa_needed: None,
        });
        Program {
            ident,
            declared: Some(Rc::clone(&image)),
            as_read: vec![image],
            file: None,
            upx: None,
            damage: Damage::default(),
            go: None,
        }
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            binfmt_misc: None,
            env: None,
            late_line: None,
            path: PathBuf::new(),
            resolved: PathBuf::new(),
            stat: Some(Ok(Stat {
                kind: FileKind::Regular,
                mode: 0o755,
                size: 4096,
                device: 0,
                inode: 0,
                owner: None,
                group: None,
            })),
            may_execute: Some(Ok(())),
            busy: Some(false),
            content: Content::Elf(Box::new(self.program())),
            interpreter: self.interpreter.as_ref().map(|file| Box::new(file.candidate())),
        }
    }

    /// Hands the file to a stage.
    pub(crate) fn bprm<T>(&self, machine: &Machine, stage: impl Fn(&Binprm<'_>) -> T) -> T {
        let candidate = self.candidate();
        let program = candidate.program().unwrap();
        let image = &program.as_read[0];
        stage(&Binprm::new(machine, &candidate, program, image))
    }

    pub(crate) fn arch<T>(&self, machine: &Machine, stage: impl Fn(&Checks, &Binprm<'_>) -> T) -> T {
        self.bprm(machine, |bprm| stage(of(machine).unwrap(), bprm))
    }

    /// What `elf_check_arch` says.
    pub(crate) fn check_arch(&self, machine: &Machine) -> String {
        said(self.bprm(machine, elf_check_arch))
    }
}

/// A stage's end in a few words.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn said<T>(stage: Checked<T>) -> String {
    match stage {
        Ok(_) => "ok".to_owned(),
        Err(Exit::Refused(errno, step)) => format!("{} {}", errno.name(), step.name()),
        Err(Exit::Killed(signal, when, step)) => {
            format!("{} at {}: {}", signal.name(), when.name(), step.name())
        }
        Err(Exit::Exits(status, step)) => format!("status {status}: {}", step.name()),
        Err(Exit::Endless(step)) => format!("endless: {}", step.name()),
        Err(Exit::Unknown(missing)) => format!("unknown: {}", missing.words()),
        Err(Exit::Ask(question)) => format!("ask {}", question.name()),
    }
}

/// The address of the first instruction.
pub(crate) fn first(file: &File, machine: &Machine) -> Result<Option<u64>, String> {
    match file.arch(machine, |arch, bprm| (arch.entry)(bprm, bprm)) {
        Ok(Entry::Address(address)) => Ok(Some(address)),
        Ok(Entry::Elsewhere) => Ok(None),
        exit => Err(said(exit)),
    }
}

#[test]
fn nothing_is_said_of_a_processor_without_a_row_but_its_own_number() {
    const EM_SH: u16 = 42;
    let sh = machine(EM_SH, Class::Elf32, ByteOrder::Little, (6, 1, 0));
    let file = |class, e_machine| File::new(class, ByteOrder::Little, e_machine, 0);
    assert_eq!(file(Class::Elf32, EM_SH).check_arch(&sh), "ok");
    assert_eq!(file(Class::Elf32, 40).check_arch(&sh), REFUSED);
    assert_eq!(file(Class::Elf64, EM_SH).check_arch(&sh), REFUSED);
    let executes = |p_flags| said(file(Class::Elf32, EM_SH).bprm(&sh, |bprm| executes(bprm, p_flags)));
    assert_eq!(executes(PF_X), "ok");
    assert_eq!(executes(PF_R), "unknown: whether this kernel keeps data from being executed");
}

#[test]
fn a_space_is_no_smaller_than_what_lies_in_it() {
    for arch in arch::ARCHES {
        for class in [Class::Elf32, Class::Elf64] {
            for release in [(3, 2, 0), (4, 4, 0), (5, 4, 0), (6, 12, 0)] {
                for page in [Some(4096), Some(16384), Some(65536), None] {
                    let mut machine = machine(arch.e_machine, class, ByteOrder::Little, release);
                    kernel(&mut machine).page_size.value = page;
                    for class in [Class::Elf32, class] {
                        let file = File::new(class, ByteOrder::Little, arch.e_machine, 0);
                        let layout = file.bprm(&machine, |bprm| (arch.exec.layout)(&machine, bprm.image));
                        let say = format!("{} {class:?} {release:?} {page:?}", arch.e_machine);
                        assert!(layout.task_size.least <= layout.task_size.most, "{say}");
                        for range in [&layout.stack, &layout.et_dyn_base, &layout.mmap_base] {
                            assert!(range.start < range.end, "{say}: {range:x?}");
                            assert!(range.start < layout.task_size.most, "{say}: {range:x?}");
                        }
                        // A page more: TASK_SIZE of a 32-bit RISC-V program is one less than STACK_TOP.
                        assert!(
                            layout.stack.end <= layout.task_size.most + 4096,
                            "{say}: {:x?}",
                            layout.stack
                        );
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod live {
    /// Where this very program lies, and its stack: the kernel's own word on x86-64.
    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn this_program_lies_where_the_kernel_is_said_to_put_it() {
        use super::{ByteOrder, Class, File, machine, of};
        use crate::elf::consts::EM_X86_64;
        let x86_64 = machine(EM_X86_64, Class::Elf64, ByteOrder::Little, (6, 12, 0));
        let file = File::new(Class::Elf64, ByteOrder::Little, EM_X86_64, 0);
        let layout = file.bprm(&x86_64, |bprm| (of(&x86_64).unwrap().layout)(&x86_64, bprm.image));
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let place = |name: &str| {
            let line = maps.lines().find(|line| line.ends_with(name)).unwrap();
            let (start, rest) = line.split_once('-').unwrap();
            let (end, _) = rest.split_once(' ').unwrap();
            [start, end].map(|address| u64::from_str_radix(address, 16).unwrap())
        };
        let [start, end] = place("[stack]");
        assert!(layout.stack.contains(&start) && end <= layout.stack.end, "{start:x}-{end:x}");
        let own = std::env::current_exe().unwrap();
        let [start, _] = place(own.to_str().unwrap());
        assert!(layout.et_dyn_base.contains(&start), "{start:x}");
        let [start, end] = place("/libc.so.6");
        assert!(start < end && end <= layout.mmap_base.end, "{start:x}");
    }
}

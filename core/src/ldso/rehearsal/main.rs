//! How a program is led to main(): by its first code, which calls `__libc_start_main` with that address.

use alloc::rc::Rc;
use core::cell::Cell;

use super::super::Linker;
use super::super::abi::Setup;
use super::code::{address_slot, main_slot, pushed_number, resolver_slot};
use super::crt::{self, Binding, Lead};
use super::memory::Access;
use super::start::{begins_function, bytes, code_at, is_aligned, is_header, is_x86, nowhere_at};
use super::{End, FIRST_FREE, FaultKind, MAIN, Object, STRINGS_AT_MOST, Step, Undefined};
use crate::candidate::File;
use crate::elf::consts::{
    DT_JMPREL, DT_PLTGOT, DT_PLTREL, DT_RELA, DT_STRSZ, DT_STRTAB, DT_TEXTREL, EM_AARCH64, EM_ARM, EM_PPC64,
    EM_S390,
};
use crate::elf::offset;
use crate::machine::holds;

/// What leads to a program's main().
#[derive(Clone, Copy, Default)]
pub(super) struct Start {
    /// A relocation of the program asks for it, which may be bound when it is called.
    pub(super) is_asked: bool,
    /// A relocation of a slot for calls was applied to the program.
    pub(super) has_calls: bool,
    /// Where `__libc_start_main` was found for it.
    pub(super) at: Option<u64>,
    /// The slot from which the program calls it, and what its relocation has written there.
    pub(super) slot: Option<(u64, u64)>,
}

/// What calling one of the program's symbols comes to where functions are bound when they are called: an address, if one has
/// it.
pub(super) type Called<'r> = dyn Fn(u64) -> Step<Option<u64>> + 'r;

/// What starts a program, as a finding calls it.
const START: &str = "__libc_start_main";

/// Whether the program is led to what starts it.
///
/// `later`: what is not found when it is called. `called`: where functions of the program are bound when they are called. Where a
/// program with crt1.o asks for no `__libc_start_main`, the one that it does not find is what it calls first.
pub(super) fn reach_main(
    objects: &[Object<'_>],
    start: Start,
    later: &[Undefined],
    called: Option<&Called<'_>>,
) -> Step<()> {
    let Some(program) = objects.first() else { return Ok(()) };
    let way = Way { objects, program, start, called };
    if is_x86(program) || !program.knows_code() {
        return way.of_x86(later);
    }
    way.follow(crt::lead(program).ok_or_else(|| way.lost())?)
}

/// The way from a program's first code to main().
struct Way<'r, 'o> {
    objects: &'r [Object<'o>],
    program: &'r Object<'o>,
    start: Start,
    called: Option<&'r Called<'r>>,
}

impl<'r, 'o> Way<'r, 'o> {
    fn lost(&self) -> End {
        self.program.lost(Access::Anothers, START)
    }

    fn leads_nowhere(&self) -> End {
        self.program.fault(FaultKind::JumpsNowhere, START)
    }

    fn code_at(&self, address: u64) -> Option<(&'r Object<'o>, u64)> {
        code_at(self.objects, address)
    }

    /// x86 calls what its slot has.
    fn of_x86(&self, later: &[Undefined]) -> Step<()> {
        let Way { program, start, .. } = *self;
        let Some(slot) = main_slot(program) else {
            return if start.is_asked { self.by_relocation() } else { self.without_slot(later) };
        };
        let led_to = program.memory.number(slot, program.word());
        let led_to = led_to.map_err(|access| program.misled(access, slot, START))?;
        match self.code_at(led_to) {
            // Its own one is another.
            Some((of, _)) if start.at == Some(led_to) && of.index > 0 => Ok(()),
            Some(_) if start.at == Some(led_to) => Err(self.lost()),
            Some(to) => self.call_another(to),
            None => Err(self.leads_nowhere()),
        }?;
        let Some(main) = address_slot(program) else { return Ok(()) };
        match self.code_at(program.number(main, program.word(), "main")?) {
            Some(_) => Ok(()),
            None => Err(program.fault(FaultKind::JumpsNowhere, "main")),
        }
    }

    /// Of a first code that is not known: whether what its relocation has written is still there.
    fn by_relocation(&self) -> Step<()> {
        let Some((slot, led_to)) = self.start.slot else { return Ok(()) };
        match self.program.number(slot, self.program.word(), START) {
            Ok(now) if now == led_to && self.code_at(now).is_some() => Ok(()),
            Ok(now) if now == led_to => Err(self.leads_nowhere()),
            _ => Err(self.lost()),
        }
    }

    fn without_slot(&self, later: &[Undefined]) -> Step<()> {
        let mut own = later.iter().filter(|symbol| symbol.needed_by == self.program.library.path);
        match (own.next(), own.next()) {
            (Some(first), None) => Err(End::Symbol(Undefined { lazy: false, ..first.clone() })),
            (Some(_), Some(_)) => Err(self.lost()),
            _ => lacks_main(self.program, self.start),
        }
    }

    /// What becomes of a program of x86 that calls this first: `hlt` or nothing follows whatever that does.
    fn call_another(&self, (of, within): (&Object<'_>, u64)) -> Step<()> {
        let is_own = of.index == 0;
        if let Some(resolver) = resolver_slot(of, within).filter(|_| is_own) {
            let index = pushed_number(of, within).and_then(|pushed| pushed.checked_div(of.entry(false)));
            let within = self.program.word().wrapping_mul(2);
            let binding = Binding { index: index.unwrap_or_default(), resolver, within };
            let (is_main, at) = self.bind_first(binding)?;
            let is_anothers = self.code_at(at).is_some_and(|(of, _)| of.index > 0);
            return if is_main && is_anothers { Ok(()) } else { Err(self.leads_nowhere()) };
        }
        if self.called.is_some() && self.start.is_asked && is_own {
            return Ok(());
        }
        if !begins_function(of, within) {
            let symbol = bound_symbol(of, within).filter(|_| is_own);
            let (Some(called), Some(symbol)) = (self.called, symbol) else { return Err(self.lost()) };
            let _found = called(symbol)?;
        }
        Err(self.leads_nowhere())
    }

    /// A stub that nobody has led on has the loader bind its function: whether that is what starts the program, and where it
    /// is.
    fn bind_first(&self, binding: Binding) -> Step<(bool, u64)> {
        let program = self.program;
        self.resolves(&binding)?;
        let called = self.called.ok_or_else(|| self.lost())?;
        let has_relocation = program.abi().is_none_or(|abi| abi.setup != Setup::Got);
        let (symbol, found) = if has_relocation {
            bind(program, binding.index, called)?
        } else {
            (binding.index, called(binding.index)?)
        };
        let is_main = match self.start.at {
            Some(at) => found == Some(at),
            None => program.asks_for(symbol, MAIN),
        };
        Ok((is_main, found.unwrap_or_default()))
    }

    /// Other processors than x86.
    fn follow(&self, lead: Lead) -> Step<()> {
        let Way { program, start, .. } = *self;
        let pointer =
            |at, what| program.memory.pointer(at).map_err(|access| program.misled(access, at, what));
        let led_to = pointer(lead.slot, START)?;
        let (of, within) = self.code_at(led_to).ok_or_else(|| nowhere_at(program, led_to, START))?;
        let binding = crt::binding(program, lead.stub, within).filter(|_| of.index == 0);
        let (is_main, at) = match binding {
            Some(binding) if start.at != Some(led_to) => self.bind_first(binding)?,
            _ => (start.at == Some(led_to), led_to),
        };
        let (of, within) = self.code_at(at).ok_or_else(|| nowhere_at(program, at, START))?;
        let is_own = of.index == 0;
        if !is_main || is_own {
            let is_stub = within == lead.stub || crt::is_stub(of, within);
            return Err(match is_own {
                true if is_header(of, within) => program.fault(FaultKind::NoInstruction, START),
                true if !is_stub => self.lost(),
                // Its own stub calls itself, and hardly any function what it is given first.
                _ => program.fault(FaultKind::WrongFunction, START),
            });
        }
        let Some(slot) = lead.main else { return Ok(()) };
        let main = pointer(slot, "main")?;
        let is_between = !is_aligned(program.image, main);
        if is_between && matches!(program.image.header.e_machine, EM_S390 | EM_AARCH64) {
            return Err(nowhere_at(program, main, "main"));
        }
        let main = self.code_at(main).ok_or_else(|| nowhere_at(program, main, "main"))?;
        // Of ARM nothing lists where functions begin: it is as its linker has it, or a symbol's.
        let is_changed = program.image.header.e_machine == EM_ARM
            && program.memory.built_word(slot).is_ok_and(|built| built != 0 && built != main.1);
        // What is another object's is another function.
        if main.0.index == 0 && !is_changed && begins_function(main.0, main.1) {
            Ok(())
        } else {
            Err(program.lost(Access::Anothers, "main"))
        }
    }

    /// Whether a stub goes on by the slot in DT_PLTGOT where the loader has left what binds functions.
    fn resolves(&self, binding: &Binding) -> Step<()> {
        const WHAT: &str = "DT_PLTGOT";
        let program = self.program;
        // What is not the loader's is not what leads to main().
        let (slot, within) = (binding.resolver, binding.within);
        let resolver = program.memory.pointer(slot).map_err(|access| program.fails(access, WHAT))?;
        let is_got = program.abi().is_some_and(|abi| abi.setup == Setup::Got);
        // MIPS has 0 there until the loader has left something, of which nothing tells.
        let left =
            if is_got { self.called.map(|_| 0) } else { self.objects.get(1).map(|loader| loader.base) };
        let is_its_slot = program.get(DT_PLTGOT).map(|got| got.wrapping_add(within)) == Some(slot);
        match self.code_at(resolver) {
            _ if is_its_slot && Some(resolver) == left => Ok(()),
            Some(_) => Err(program.fails(Access::Anothers, WHAT)),
            None => Err(nowhere_at(program, resolver, WHAT)),
        }
    }
}

/// elf/dl-runtime.c `_dl_fixup`: binds a function by its relocation in DT_JMPREL; its symbol, and where it is.
fn bind(program: &Object<'_>, index: u64, called: &Called<'_>) -> Step<(u64, Option<u64>)> {
    let calls = program.get(DT_JMPREL).unwrap_or_default();
    let has_addend = program.abi().is_none_or(|abi| !abi.has_rel);
    let at = calls.wrapping_add(index.wrapping_mul(program.entry(has_addend)));
    let relocation = program.relocation(at, has_addend)?;
    if !program.abi().is_some_and(|abi| abi.is_jump_slot(offset(relocation.kind))) {
        return Err(program.fault(FaultKind::BoundKind, "DT_JMPREL"));
    }
    let found = called(relocation.symbol)?;
    let anywhere = program.get(DT_TEXTREL).is_some();
    let written = relocation.offset.and_then(|at| program.memory.may_write_all(at, program.word(), anywhere));
    written.map_err(|access| program.refused(access, FaultKind::WritesNowhere, "r_offset"))?;
    if relocation.offset.is_ok_and(|at| program.memory.is_protected(at)) {
        return Err(program.fault(FaultKind::WritesNowhere, "PT_GNU_RELRO"));
    }
    // elf_machine_plt_value
    let adds = program.image.header.e_machine == EM_PPC64;
    let addend = relocation.addend.filter(|_| adds).unwrap_or_default();
    Ok((relocation.symbol, found.map(|found| found.wrapping_add(addend))))
}

/// The symbol of the relocation by which a stub is bound whose second half is at an address.
fn bound_symbol(program: &Object<'_>, address: u64) -> Option<u64> {
    let (calls, has_addend) = (program.get(DT_JMPREL)?, program.get(DT_PLTREL)? == DT_RELA.into());
    let pushed = pushed_number(program, address)?;
    let size = if program.word() == 8 { program.entry(has_addend) } else { 1 };
    let relocation = program.relocation(calls.wrapping_add(pushed.wrapping_mul(size)), has_addend).ok()?;
    let is_slot = program.abi()?.is_jump_slot(offset(relocation.kind));
    is_slot.then_some(relocation.symbol)
}

/// What becomes of a program that no relocation has led there: if it asks for that, it calls nothing.
fn lacks_main(program: &Object<'_>, start: Start) -> Step<()> {
    let Some(strings) = program.get(DT_STRTAB) else { return Ok(()) };
    let size = program.get(DT_STRSZ).unwrap_or(STRINGS_AT_MOST);
    if holds(&bytes(program, strings, size.min(STRINGS_AT_MOST)), MAIN) {
        // A slot that nobody has moved leads to where the program would be if it were not moved; one that is right without leads
        // on by DT_PLTGOT, where the loader has left nothing.
        let is_left = program.base != 0 || program.get(DT_JMPREL).is_none();
        if !start.has_calls && is_left && has_slots(program) {
            return Err(program.fault(FaultKind::JumpsNowhere, START));
        }
        Err(program.lost(Access::Anothers, START))
    } else {
        Ok(())
    }
}

/// Whether a program's crt1.o calls by a slot that a linker has led to its stub. That of x86-64 calls by another.
fn has_slots(program: &Object<'_>) -> bool {
    let has_some = program.abi().is_some_and(|abi| matches!(abi.setup, Setup::First | Setup::Second));
    has_some && !is_x86(program)
}

/// The slot from which a program's first code takes main()'s address. None where that code is not known, or has the address
/// itself.
pub(in super::super) fn address_of_main(linker: &Linker<'_>, file: &File) -> Option<u64> {
    let program = program(linker, file)?;
    address_slot(&program).or_else(|| crt::lead(&program)?.main)
}

/// Whether a function of the program begins at an address.
pub(in super::super) fn may_be_main(linker: &Linker<'_>, file: &File, address: u64) -> bool {
    program(linker, file)
        .is_some_and(|program| program.memory.can_run(address) && begins_function(&program, address))
}

/// The program as its loader finds it.
fn program<'a>(linker: &'a Linker<'_>, file: &'a File) -> Option<Object<'a>> {
    let (library, page) = (linker.object(0)?, linker.machine.kernel().page().get());
    Object::new(0, library, file, page, FIRST_FREE, (linker.is_glibc(), &Rc::new(Cell::new(0))))
}

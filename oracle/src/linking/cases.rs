//! The table of cases.

mod beside;
mod changed;
mod definitions;
mod files;
mod headers;
mod marks;
mod paths;
mod settings;
mod shapes;
mod symbols;
mod tables;
mod tokens;
mod versions;

use super::host::Family;
use super::kit::{Built, Kit};
use super::{End, Ran, Traced};

/// A program, what it needs, and what has happened to that.
#[derive(Debug)]
pub struct Case {
    /// What is special about it; the name of its folder, too.
    pub name: &'static str,
    /// Makes its files.
    pub build: fn(&Kit) -> Built,
    /// The program.
    pub program: &'static str,
    /// Variables of the environment; `$PWD` is the folder.
    pub env: &'static [(&'static str, &'static str)],
    /// Whether the kernel refuses to make its memory executable (PR_SET_MDWE).
    pub guarded: bool,
    /// Whether the loader's list is what it also loads.
    pub listed: bool,
    glibc: Expect,
    musl: Expect,
    /// Which loader does here what diag does not know of.
    gap: Option<(Family, Gap)>,
}

/// What diag does not know of a loader, and which verdict it gives for want of that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// What it is.
    pub what: &'static str,
    /// `verdict`.
    pub verdict: &'static str,
}

/// What a case is there to show. A case that does not show it proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// It is nothing to this loader.
    Nothing,
    /// It starts.
    Starts,
    /// It starts, though it lacks a symbol of this name.
    Lacks(&'static str),
    /// The loader gives up with these words.
    Says(&'static str),
    /// A signal ends it.
    Dies,
    /// Whatever comes of it, diag must say the same.
    Anything,
}

use Expect::{Anything, Dies, Lacks, Nothing, Says, Starts};

impl Expect {
    /// What is not as it should be.
    pub fn unmet(self, ran: &Ran, traced: &Traced) -> Vec<String> {
        let words = ran.decisive();
        let later = |name: &str| traced.unresolved_later.iter().any(|symbol| symbol.contains(name));
        let met = match self {
            Nothing | Anything => true,
            Starts => ran.end == End::Exited(0) && traced.unresolved_later.is_empty(),
            Lacks(name) => ran.end == End::Exited(0) && later(name),
            Says(part) => matches!(ran.end, End::Exited(1..)) && words.contains(part),
            Dies => matches!(ran.end, End::Killed(_)),
        };
        if met { Vec::new() } else { vec![format!("wanted {self:?}, got: {}: {:?}", ran.end, ran.words)] }
    }
}

const fn case(name: &'static str, build: fn(&Kit) -> Built, glibc: Expect, musl: Expect) -> Case {
    Case { name, build, program: "./x", env: &[], guarded: false, listed: true, glibc, musl, gap: None }
}

impl Case {
    const fn env(mut self, env: &'static [(&'static str, &'static str)]) -> Case {
        self.env = env;
        self
    }

    const fn program(mut self, program: &'static str) -> Case {
        self.program = program;
        self
    }

    const fn guarded(mut self) -> Case {
        self.guarded = true;
        self
    }

    const fn not_as_listed(mut self) -> Case {
        self.listed = false;
        self
    }

    const fn gap(mut self, family: Family, what: &'static str, verdict: &'static str) -> Case {
        self.gap = Some((family, Gap { what, verdict }));
        self
    }

    /// What this loader does here that diag does not know of.
    pub fn not_known(&self, family: Family) -> Option<Gap> {
        self.gap.filter(|(of, _)| *of == family).map(|(_, gap)| gap)
    }

    /// What it shows of a loader.
    pub fn expect(&self, family: Family) -> Expect {
        match family {
            Family::Glibc => self.glibc,
            Family::Musl => self.musl,
        }
    }

    /// Whether it says anything of a loader.
    pub fn concerns(&self, family: Family) -> bool {
        self.expect(family) != Nothing
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        files::CASES,
        headers::CASES,
        marks::CASES,
        paths::CASES,
        settings::CASES,
        tokens::CASES,
        shapes::CASES,
        beside::CASES,
        changed::CASES,
        symbols::CASES,
        tables::CASES,
        definitions::CASES,
        versions::CASES,
    ]
    .into_iter()
    .flatten()
}

/// A d_tag that no loader knows.
const NO_TAG: u64 = 0x6fff_fef0;
/// Defines a function.
const FOO: &str = "int foo(void) { return 1; }";
/// Another one.
const BAR: &str = "int bar(void) { return 1; }";
/// Would call it, and so binds it lazily where that is done.
const CALLS_FOO: &str = "int foo(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() : 0; }";
/// Takes its address, which is bound at the start.
const TAKES_FOO: &str = "int foo(void); int (*volatile p)(void) = foo; int main(void) { return p == 0; }";
/// Needs nothing.
const MAIN: &str = "int main(void) { return 0; }";

/// DT_RUNPATH and DT_RPATH that lead to the program's folder.
const RUNPATH: &str = "-Wl,--enable-new-dtags,-rpath,$ORIGIN";
const RPATH: &str = "-Wl,--disable-new-dtags,-rpath,$ORIGIN";
const LAZY: &str = "-Wl,-z,lazy";
const NOW: &str = "-Wl,-z,now";
const ALL: &str = "-Wl,--no-as-needed";
/// Lets a program be linked with libraries that lack something.
const SHARED: &str = "-Wl,--allow-shlib-undefined";

/// A program `x` that calls a function of `libfoo.so` beside it.
fn plain(kit: &Kit) -> Built {
    flagged(kit, &[])
}

/// The same, with something said to the compiler of the library.
fn flagged(kit: &Kit, flags: &[&str]) -> Built {
    kit.library("libfoo.so", FOO, flags)?;
    kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
}

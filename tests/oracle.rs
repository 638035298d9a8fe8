//! Real kernels judge the model: thousands of changed programs, each handed to execve(2) of this computer's kernel
//! and to diag. They must say the same.
//!
//! `cargo test --test oracle -- --seed 7 --count 100000`; `-- --case 'x86-64 tiny: e_type=3'` shows one case in full.
//! A disagreement is printed in its smallest form, as such a case.

use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;
use std::{env, fs};

use diag::candidate::Files;
use diag::exec::{Outcome, Step};
use diag::judge;
use diag::live::{Live, target_path};
use diag::machine::Machine;
use diag::target::Target;
use oracle::case::Case;
use oracle::compare::Verdict;
use oracle::counts::{Counts, Limits};
use oracle::generate::Plan;
use oracle::host::{self, Judge};
use oracle::model::{self, Model};
use oracle::sandbox::Sandbox;
use oracle::tally::Tally;

/// Cases of a plain `cargo test`, and of those again as root.
const COUNT: usize = 20_000;
const AS_ROOT: usize = 1_000;
/// Of a hundred cases, those at least that start, and those at most of which diag cannot tell.
const STARTED: u64 = 25;
const UNKNOWN: u64 = 3;
/// Programs of this computer that are changed, too, where they are there: one of each kind of its userland.
const PROGRAMS: [&str; 3] = ["/usr/bin/true", "/bin/true", "/lib64/ld-linux-x86-64.so.2"];

fn model(outcome: Outcome) -> Model {
    let (outcome, step) = match outcome {
        Outcome::Starts => (model::Outcome::Starts, ""),
        Outcome::Refused { errno, step } => (model::Outcome::Refused(errno.name().into()), step.name()),
        Outcome::Killed { signal, when, step } => {
            (model::Outcome::Killed(signal.name().into(), when.name().into()), step.name())
        }
        Outcome::Exits { status, step } => (model::Outcome::Exits(status.into()), step.name()),
        Outcome::Endless { step } => (model::Outcome::Endless, step.name()),
        Outcome::Fails { step } => (model::Outcome::Fails, step.name()),
        Outcome::Unknown { missing } => (model::Outcome::Unknown(missing.words().to_owned()), ""),
    };
    Model { outcome, step: step.to_owned() }
}

/// What was asked for. Arguments of the standard harness are heeded where they mean something.
#[derive(Clone, Debug)]
struct Args {
    count: usize,
    seed: u64,
    case: Option<String>,
    /// Leave disagreements as they are.
    raw: bool,
    /// Where to write the counts, as JSON.
    counts: Option<String>,
    /// Set where it runs within a sandbox: what that has.
    inside: Option<String>,
    skip: bool,
    list: bool,
}

fn args() -> Args {
    let (count, seed) = (COUNT, 1);
    let mut args =
        Args { count, seed, case: None, raw: false, counts: None, inside: None, skip: false, list: false };
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} wants a value"));
        match word.as_str() {
            "--count" => args.count = value().parse().expect("a count"),
            "--seed" => args.seed = value().parse().expect("a seed"),
            "--case" => args.case = Some(value()),
            "--counts" => args.counts = Some(value()),
            "--inside" => args.inside = Some(value()),
            "--raw" => args.raw = true,
            "--list" => args.list = true,
            "--ignored" => args.skip = true,
            "--test-threads" | "--format" | "--color" | "--skip" | "--logfile" | "-Z" => drop(value()),
            // `cargo test NAME`.
            name if !name.starts_with('-') => args.skip |= !"oracle".contains(name),
            _ => {}
        }
    }
    args
}

fn main() -> ExitCode {
    let args = args();
    if args.list {
        println!("oracle: test\n\n1 test, 0 benchmarks");
        return ExitCode::SUCCESS;
    }
    if args.skip {
        return ExitCode::SUCCESS;
    }
    let passed = match &args.inside {
        Some(has) => inside(&args, has),
        None => outside(&args),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sets up what needs rights, and goes on without any.
fn outside(args: &Args) -> bool {
    let again = |nobody: bool, count: usize| {
        let sandbox = Sandbox::enter(nobody).expect("a folder to work in");
        if !sandbox.mounts {
            println!("oracle: no mount namespace here: the cases on a noexec mount are left out");
        }
        if nobody && !sandbox.misc {
            println!("oracle: no binfmt_misc of its own here: the cases for its rules are left out");
        }
        if nobody && !sandbox.env {
            println!("oracle: no /usr/bin/env here that knows -S: the cases for it are left out");
        }
        let has = [(sandbox.mounts, "noexec"), (sandbox.misc, "misc"), (sandbox.env, "env")];
        let has: Vec<&str> = has.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
        let mut words = vec!["--inside".to_owned(), has.join(",")];
        words.extend(["--count".to_owned(), count.to_string(), "--seed".to_owned(), args.seed.to_string()]);
        words.extend(args.case.iter().flat_map(|case| ["--case".to_owned(), case.clone()]));
        // The counts are those of the many.
        if let Some(file) = args.counts.as_ref().filter(|_| nobody) {
            fs::write(file, "").expect("a file for the counts");
            fs::set_permissions(file, fs::Permissions::from_mode(0o666)).expect("a file for the counts");
            words.extend(["--counts".to_owned(), file.clone()]);
        }
        words.extend(args.raw.then(|| "--raw".to_owned()));
        println!("oracle: as {}", if nobody && sandbox.is_root { "nobody" } else { "the caller" });
        (sandbox.again(nobody, &words).expect("this program again").success(), sandbox.is_root)
    };
    let (passed, is_root) = again(true, args.count);
    // Mode bits and vm.mmap_min_addr bind root less.
    passed & (!is_root || again(false, args.count.min(AS_ROOT)).0)
}

fn plan(args: &Args, has: &str) -> Plan {
    let live = Live::default();
    let machine = Machine::new(Target::new(&live));
    let memory = machine.memory().total.value.unwrap_or(0) + machine.memory().swap.value.unwrap_or(0);
    let there = PROGRAMS.into_iter().filter(|path| fs::metadata(path).is_ok_and(|m| m.is_file()));
    Plan {
        abis: host::abis(),
        seed: args.seed,
        page: machine.kernel().page().get(),
        memory,
        programs: there.map(str::to_owned).collect(),
        noexec: has.contains("noexec"),
        misc: has.contains("misc"),
        env: has.contains("env"),
        busy: true,
        sweep: true,
    }
}

fn inside(args: &Args, has: &str) -> bool {
    let plan = plan(args, has);
    if plan.abis.is_empty() {
        println!("oracle: no programs are written for this processor");
        return true;
    }
    let judges = || -> Judge<'static> {
        // As long as the judge, which is as long as this program.
        let live: &Live = Box::leak(Box::default());
        let mut machine = Machine::new(Target::new(live));
        Box::new(move |path| model(judge::outcome(&mut machine, &Files::default(), &target_path(path)).1))
    };
    if let Some(text) = &args.case {
        let case = Case::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let (shown, verdict) = host::one(&plan, &case, judges()).expect("a case");
        print!("{shown}");
        return verdict != Verdict::Disagrees;
    }
    let counts = host::run(&plan, args.count, !args.raw, &judges).expect("a run");
    print!("{counts}");
    if let Some(file) = &args.counts {
        fs::write(file, serde_json::to_string_pretty(&counts).expect("JSON")).expect("a file for the counts");
    }
    holds(&counts, args.count, &plan)
}

/// Steps that x86-64 has no cases for: they belong to other processors, to chance (where a stack lies), to kernels
/// before 6.7 (which go on where zeros cannot be written), or to the lookup of the program itself, which diag leaves open.
/// What Go's runtime misses depends on the processor, which the lab has on MIPS.
const ELSEWHERE: [&str; 24] = [
    // tests/hostile.rs
    "kernel_read",
    "path lookup",
    "elf_check_fdpic",
    "parse_elf_properties",
    "arch_elf_pt_proc",
    "arch_check_elf: NaN",
    "arch_check_elf: FP ABI",
    "do_mmap: MAP_FIXED_NOREPLACE",
    "entry in an instruction set that is absent",
    "entry not aligned",
    "entry is the ELF header",
    "segment beyond the end of the file",
    // tests/damage.rs
    "entry in what was never written",
    "content changed by a transfer",
    "floating-point instruction",
    "Go's runtime: check of the processor",
    "Go's runtime: instruction of its level",
    // tests/policy.rs
    "security_bprm_creds_for_exec",
    // tests/limits.rs
    "may_expand_vm: RLIMIT_AS",
    "may_expand_vm: RLIMIT_DATA",
    "Go's runtime: addresses",
    "Go's runtime: data",
    // It is a setting of the whole machine's, which nobody changes for a test.
    "__vm_enough_memory: CommitLimit",
    // No program here has a glibc before 2.36 in it: xtask/src/check/programs/around.rs starts one of 2.31.
    "glibc: check of the kernel",
];

fn holds(counts: &Counts, count: usize, plan: &Plan) -> bool {
    let mut tally = Tally::new("oracle");
    counts.check(Limits { cases: count as u64, started: STARTED, unknown: UNKNOWN }, &mut tally);
    // Of a short run nobody can expect it.
    if cfg!(target_arch = "x86_64") && count >= COUNT {
        let steps = Step::ALL.iter().copied().map(Step::name);
        // The kernel's: a dynamic loader's are met in tests/linking.rs.
        let steps = steps.filter(|step| !step.starts_with("ld.so:"));
        // Of what this computer has: what it lacks was said.
        let steps = steps.filter(|step| plan.noexec || *step != "path_noexec");
        let steps = steps.filter(|step| plan.misc || !step.starts_with("load_misc_binary"));
        let steps = steps.filter(|step| plan.env || !step.starts_with("env:"));
        let missed: Vec<&str> =
            steps.filter(|step| !counts.steps.contains_key(*step) && !ELSEWHERE.contains(step)).collect();
        tally.check(missed.is_empty(), || format!("no case met {}", missed.join(", ")));
    }
    tally.passed()
}

use super::Case;
use super::shown::Size;
use crate::exec::{Missing, Outcome, Step};
use crate::finding::{Certainty, Found, Severity};
use crate::machine::Libc;
use crate::machine::gather::cgroup_limit;

rule! {
    /// # What it means
    /// A limit that somebody has set keeps memory or addresses from the program, though the machine has them.
    /// # How it looks
    /// The first is of a program whose data is too large, within execve; the second of a library that the loader cannot
    /// map, status 127; the third and fourth are of Go's runtime, status 2; the last where a control group has too little.
    /// # Why
    /// RLIMIT_AS (`ulimit -v`) counts addresses, used or not: programs of Go (1.14 and later, on 64-bit machines) reserve
    /// 681 MiB of them at their start, of which they use a little. RLIMIT_DATA (`ulimit -d`) counts what may be written. Where
    /// vm.overcommit_memory is 2 the kernel gives no more than CommitLimit to all programs together, and counts all that may
    /// be written, used or not. A control group (of a container or a service) has a limit of its own (memory.max), and kills
    /// what exceeds it.
    /// # Fix
    /// `ulimit -v unlimited` in the shell that starts it; where that is not permitted, the hard limit is too low: look in
    /// /etc/security/limits.conf, in the service (LimitAS=, LimitDATA=, MemoryMax=), in what runs jobs or judges programs.
    /// # Kernel source
    /// mm/mmap.c `may_expand_vm`; mm/util.c `__vm_enough_memory`; mm/memcontrol.c `try_charge_memcg`; Go
    /// runtime/mpagealloc_64bit.go.
    /// # Example
    /// ```text
    /// machine x86-64, not by a router's build
    /// file /proc/self/limits text Max address space 104857600 104857600 bytes\n
    /// file /tmp/bss elf x86-64 gcc p_flags=7 p_memsz=209715200
    /// $ diag /tmp/bss
    /// error[memory-limit]: /tmp/bss maps more memory than its limit of 100 MiB
    ///   (RLIMIT_AS)
    ///   machine: RLIMIT_AS 104857600 bytes
    ///   kernel:  kills it within execve: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     lift the limit, in the shell or service that starts it
    ///            ulimit -v unlimited
    /// [1]
    /// ```
    MemoryLimit, looks [
        "Segmentation fault",
        "./x: error while loading shared libraries: libfoo.so: failed to map segment from shared object",
        "fatal error: failed to reserve page summary memory",
        "fatal error: out of memory allocating heap arena map",
        "Memory cgroup out of memory: Killed process 1",
    ],
    check, quiet after [ChangedByTransfer]
}

const STEPS: [Step; 6] = [
    Step::AddressLimit,
    Step::DataLimit,
    Step::CommitLimit,
    Step::LibraryLimit,
    Step::GoAddresses,
    Step::GoData,
];

/// What a control group is asked for: of less no limit is too low.
const SMALL: u64 = 16 << 20;

fn check(case: &Case<'_>) -> Option<Found> {
    // Nobody sets a limit there.
    if crate::ROUTER {
        return None;
    }
    let limits = case.machine.limits();
    let step = STEPS.into_iter().find(|step| case.ends_at(*step));
    let is_open = case.outcome == Outcome::Unknown { missing: Missing::Limits };
    let (what, limit, option) = match step {
        Some(Step::CommitLimit) => return of_commit(case),
        Some(Step::DataLimit | Step::GoData) => ("RLIMIT_DATA", limits.data.value?, "-d"),
        Some(_) => ("RLIMIT_AS", limits.address_space.value?, "-v"),
        None if case.outcome == (Outcome::Unknown { missing: Missing::Memory }) => return of_commit(case),
        None if is_open => in_question(case)?,
        None => return of_cgroup(case),
    };
    let bytes = limit;
    let limit = Size(limit);
    let (of_go, seen) = match step {
        Some(Step::GoAddresses) => (
            "reserves some 700 MiB of addresses at its start",
            "fatal error: failed to reserve page summary memory",
        ),
        Some(Step::GoData) => (
            "takes some 40 MiB of memory for data at its start",
            "fatal error: out of memory allocating heap arena map",
        ),
        _ => ("", ""),
    };
    if !of_go.is_empty() {
        return Some(case.error(format_args!(
            "\
{of_go}, as every program of Go does, and may have {limit}
machine: {what}={bytes} bytes
kernel:  starts it; Go's runtime then ends it, status 2
you see: {seen}
fix:     lift the limit, in the shell or service that starts it
run:     ulimit {option} unlimited"
        )));
    }
    let is_loaders = step == Some(Step::LibraryLimit);
    let kernel = case.kernel_says();
    let (severity, needs) = if is_open {
        (Severity::Warning, "may map more memory than")
    } else {
        (
            Severity::Error,
            if is_loaders { "maps more memory with its libraries than" } else { "maps more memory than" },
        )
    };
    let mut finding = case.about(
        severity,
        format_args!(
            "\
{needs} its limit of {limit} ({what})
machine: {what}={bytes} bytes
fix:     lift the limit, in the shell or service that starts it
run:     ulimit {option} unlimited"
        ),
    );
    if is_open {
        finding.certainty = Certainty::Likely;
    } else if is_loaders {
        finding.tell(format_args!(
            "\
kernel: {}, status 127
you see: {}",
            case.loader_ends(),
            if case.link.is_some_and(|link| link.libc == Some(Libc::Musl)) {
                "Error loading shared library: Cannot allocate memory"
            } else {
                "error while loading shared libraries: failed to map segment from shared object"
            }
        ));
    } else {
        finding.tell(format_args!("kernel:  {kernel}"));
    }
    Some(finding)
}

/// The limit that is in question: its name, its value, the option of ulimit.
fn in_question(case: &Case<'_>) -> Option<(&'static str, u64, &'static str)> {
    let limits = case.machine.limits();
    let all = [
        ("RLIMIT_AS", limits.address_space.value, "-v"),
        ("RLIMIT_DATA", limits.data.value, "-d"),
        ("RLIMIT_STACK", limits.stack.value, "-s"),
    ];
    let mut set = all.into_iter().filter_map(|(name, value, option)| Some((name, value?, option)));
    set.find(|(_, value, _)| *value != u64::MAX)
}

/// vm.overcommit_memory=2.
fn of_commit(case: &Case<'_>) -> Option<Found> {
    let memory = case.machine.memory();
    let (all, left) = (memory.commit_limit.value?, memory.commit.value.unwrap_or(0));
    let cure = "\
fix:     have the kernel count what is used, not what may be, or add swap
run:     echo 0 > /proc/sys/vm/overcommit_memory";
    if !case.ends_at(Step::CommitLimit) {
        return Some(case.warning(format_args!(
            "\
maps more memory than the {} that others leave of what this kernel gives to all together
machine: vm.overcommit_memory=2
machine: CommitLimit={all} bytes
{cure}",
            Size(left)
        )));
    }
    let (limit, kernel) = (Size(all), case.kernel_says());
    Some(case.error(format_args!(
        "\
maps more memory than the {limit} that this kernel gives to all programs together
machine: vm.overcommit_memory=2
machine: CommitLimit={all} bytes
kernel:  {kernel}
{cure}"
    )))
}

/// A control group.
fn of_cgroup(case: &Case<'_>) -> Option<Found> {
    let (program, image) = (case.program?, case.image?);
    let needed = super::not_enough_memory::needed(program, image);
    if needed < SMALL || case.foreign || !case.starts() {
        return None;
    }
    let limit = cgroup_limit(case.machine.target.root).filter(|limit| *limit < needed)?;
    let (needed, all, limit) = (Size(needed), limit, Size(limit));
    Some(case.warning(format_args!(
        "\
may take {needed} of memory, its control group may have {limit}
machine: memory.max={all} bytes
kernel:  later=kills it once that is used: SIGKILL
you see: Killed; dmesg: Memory cgroup out of memory
fix:     raise the limit of the container or service that starts it (MemoryMax=, --memory)"
    )))
}

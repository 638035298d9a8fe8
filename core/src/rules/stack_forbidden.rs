use super::Case;
use super::shown::Shown;
use crate::elf::consts::PT_GNU_STACK;
use crate::finding::Found;
use crate::ldso::{LoaderRefusal, Setting};

rule! {
    /// # What it means
    /// GLIBC_TUNABLES says who gets an executable stack (glibc.rtld.execstack), and the program's loader cannot do so.
    /// # How it looks
    /// The first where it is 0, the second where it is 2. Status 127.
    /// # Why
    /// A program wants an executable stack by the flags of its PT_GNU_STACK, on x86 by having none, mostly by mistake: one
    /// file of assembler without `.note.GNU-stack` is enough. From 2.41 on glibc refuses to start it where glibc.rtld.execstack
    /// is 0. Where it is 2 every program gets such a stack, and none starts where the kernel gives none (SELinux,
    /// PR_SET_MDWE).
    /// # Fix
    /// Start it without the variable, or clear the program's flag.
    /// # Kernel source
    /// None: glibc sysdeps/unix/sysv/linux/dl-execstack-tunable.c `_dl_handle_execstack_tunable`.
    /// # Example
    /// ```text
    /// machine x86-64, not by a router's build
    /// file /lib64/ld-linux-x86-64.so.2 elf x86-64 e_type=3 base=0 p_flags=7 soname=ld-linux-x86-64.so.2 strings=/etc/ld.so.cache,/lib/,/usr/lib/ says=Fatal_glibc_error:_executable_stack_is_not_allowed
    /// file /lib/libc.so.6 elf x86-64 e_type=3 base=0 soname=libc.so.6 stack
    /// file /tmp/x elf x86-64 gcc interp=/lib64/ld-linux-x86-64.so.2 needed=libc.so.6 stack PT_GNU_STACK.p_flags=7
    /// file /env text GLIBC_TUNABLES=glibc.rtld.execstack=0\n
    /// $ diag /tmp/x
    /// error[stack-forbidden]: /tmp/x wants an executable stack, which GLIBC_TUNABLES
    ///   forbids
    ///   program: PT_GNU_STACK p_flags 0x7
    ///   machine: GLIBC_TUNABLES glibc.rtld.execstack=0
    ///   kernel:  starts it; its loader then ends it, status 127
    ///   you see: Fatal glibc error: executable stack is not allowed
    ///   fix:     start it without GLIBC_TUNABLES; or clear its executable-stack flag,
    ///            which almost no program needs
    ///            unset GLIBC_TUNABLES
    ///            GLIBC_TUNABLES= /tmp/x
    ///            patchelf --clear-execstack /tmp/x
    /// [1]
    /// ```
    StackForbidden, looks [
        "Fatal glibc error: executable stack is not allowed",
        "Fatal glibc error: cannot enable executable stack as tunable requires",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    if crate::ROUTER {
        return None;
    }
    let variable = case.machine.target.kernel.variable(c"GLIBC_TUNABLES").unwrap_or_default();
    let (program, ends) = (case.argument(), case.loader_ends());
    let refused = case.refused_by_loader()?;
    let (title, says) = match refused {
        LoaderRefusal::StackForbidden => {
            ("wants an executable stack, which GLIBC_TUNABLES forbids", "executable stack is not allowed")
        }
        LoaderRefusal::NoStack => (
            "is to get an executable stack by GLIBC_TUNABLES, which this machine refuses",
            "cannot enable executable stack as tunable requires",
        ),
        _ => return None,
    };
    let mut finding = case.error(format_args!(
        "\
{title}
machine: GLIBC_TUNABLES={}
kernel:  {ends}, status 127
you see: Fatal glibc error: {says}",
        Shown(&variable)
    ));
    if refused == LoaderRefusal::StackForbidden {
        let stack = case.image?.table().iter().rfind(|entry| entry.p_type == PT_GNU_STACK);
        match stack {
            Some(stack) => finding.tell(format_args!("program: PT_GNU_STACK p_flags={:#x}", stack.p_flags)),
            None => finding.tell(format_args!("program: PT_GNU_STACK=none")),
        }
    } else {
        finding.tell(format_args!("machine: executable-stack=refused (SELinux, or PR_SET_MDWE)"));
    }
    if case.link?.blamed == Some(Setting::Tunables) {
        finding.tell(format_args!(
            "\
fix: start it without GLIBC_TUNABLES
run: unset GLIBC_TUNABLES
run: GLIBC_TUNABLES= {program}"
        ));
    }
    if refused == LoaderRefusal::StackForbidden {
        finding.tell(format_args!(
            "\
fix: ; or clear its executable-stack flag, which almost no program needs
run: patchelf --clear-execstack {program}"
        ));
    }
    Some(finding)
}

use super::Case;
use crate::candidate::damage::Transfer;
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// The file was transferred as a text, which changed its bytes: a program bears no such change.
    /// # How it looks
    /// Each run may end in another of these.
    /// # Why
    /// FTP in text mode (`ascii`), a mail program, an editor, or a tool that converts line ends wrote CR LF for LF, or LF for
    /// CR LF: everything behind the first of them stands elsewhere than the headers say. Or it was read and written as
    /// UTF-8: what is none became U+FFFD.
    /// # Fix
    /// Transfer it in binary mode (FTP: `binary`), or with scp, and compare `sha256sum`.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`: it maps what lies at the offsets that the headers name.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /tmp/hello elf x86-64 gcc p_filesz=40000 p_memsz=40000 size=40000 fill=random text-mode=crlf
    /// $ diag /tmp/hello
    /// error[changed-by-transfer]: /tmp/hello was changed by a transfer in text mode:
    ///   it has a CR before every LF
    ///   program: LF each has a CR before it
    ///   kernel:  starts it; it dies soon after: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     transfer it in binary mode (FTP: binary), or with scp; size and
    ///            checksum have to be the same on both sides
    ///            sha256sum /tmp/hello
    /// [1]
    /// ```
    ChangedByTransfer, looks ["Segmentation fault", "Illegal instruction", "syntax error"],
    check, quiet after [NotAProgram]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let transfer = case.program?.damage.transfer?;
    let severity = if case.starts() { Severity::Warning } else { Severity::Error };
    let mut finding = match transfer {
        Transfer::Added(_) => case.about(
            severity,
            format_args!(
                "was changed by a transfer in text mode: it has a CR before every LF\nprogram: LF=each has a CR before it"
            ),
        ),
        Transfer::Removed(..) => case.about(
            severity,
            format_args!(
                "was changed by a transfer in text mode: CRs were taken out\nprogram: CR=in fewer places than by chance"
            ),
        ),
        Transfer::Recoded => case.about(
            severity,
            format_args!(
                "was changed by a transfer as UTF-8 text: what is none became U+FFFD\nprogram: U+FFFD=in place of bytes from 0x80 on"
            ),
        ),
    };
    if let Transfer::Removed(lost @ 1.., _) = transfer {
        finding
            .tell(format_args!("program: lacks={lost} bytes: what is behind them stands before its place"));
    }
    if !case.starts() {
        finding.tell(format_args!("kernel: {}", case.kernel_says()));
    }
    finding.tell(format_args!(
        "fix: transfer it in binary mode (FTP: binary), or with scp; size and checksum have to be the same on both sides\n\
         run: sha256sum {}",
        case.argument()
    ));
    Some(finding)
}

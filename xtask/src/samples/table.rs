//! The samples, and what is to come of each. The kernel judges all of them; `Expect` says what must be so
//! besides, for the cases that people meet.

use testkit::elf_h::{PT_INTERP, PT_LOAD, PT_MIPS_ABIFLAGS};

use super::change::{
    ASES, FP_ABI, abiflags, beyond, blank_entry, data, first_page, flags, interpreter, shorter, text,
    text_mode,
};
use super::{Cut, Float, Link, Make, Order, Side, Size, bytes, linked};

/// One sample.
pub(crate) struct Row {
    /// Its name, in the folder that the guest judges.
    pub(crate) name: &'static str,
    pub(super) make: Make,
    pub(crate) mode: u32,
    /// Its arguments.
    pub(crate) args: &'static str,
    /// The path to judge, where it is not `./NAME`.
    pub(crate) at: Option<&'static str>,
    pub(crate) place: Where,
    /// The byte order of the kernels that it is for; None for either.
    pub(crate) only: Option<Order>,
    expect: Expect,
    with_fpu: Option<Expect>,
    /// What the findings have to say, with {own} and {other} for the byte orders and {goarch} for this machine's.
    pub(crate) says: &'static [&'static str],
    /// diag may say that it does not know.
    pub(crate) unknown: bool,
    /// diag may say that it will most likely die, and it runs.
    pub(crate) feared: bool,
}

/// The boot in which it is judged: large files have one of their own, for memory's sake, and so have programs with
/// libraries, since those are installed there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Where {
    Small,
    Large,
    Linked,
}

/// What must be so, beyond the agreement of diag and the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    Agrees,
    /// It runs, and prints this.
    Runs(&'static str),
    /// It fails; this is the first finding's code.
    Fails(&'static str),
    /// The same, with this outcome.
    Dies(&'static str, &'static str),
    /// It dies; this is the first finding's code. How it does depends on what its bytes have become.
    Ruined(&'static str),
    /// It starts, with this warning; whether it then lives is for its code to say.
    Warned(&'static str),
    /// It starts, and what it then does is its own code's fault, of which no header tells.
    Broken,
    /// This kernel has nothing by which diag could see what it then answers.
    Hidden(&'static str),
}

pub(super) const fn row(name: &'static str, make: Make, expect: Expect) -> Row {
    let (with_fpu, at) = (None, None);
    Row {
        name,
        make,
        mode: 0o755,
        args: "",
        at,
        place: Where::Small,
        only: None,
        expect,
        with_fpu,
        says: &[],
        unknown: false,
        feared: false,
    }
}

impl Row {
    const fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(super) const fn args(mut self, args: &'static str) -> Self {
        self.args = args;
        self
    }

    const fn at(mut self, path: &'static str) -> Self {
        self.at = Some(path);
        self
    }

    const fn large(mut self) -> Self {
        self.place = Where::Large;
        self
    }

    pub(super) const fn linked(mut self) -> Self {
        self.place = Where::Linked;
        self
    }

    pub(super) const fn little_endian(mut self) -> Self {
        self.only = Some(Order::Little);
        self
    }

    pub(super) const fn with_fpu(mut self, expect: Expect) -> Self {
        self.with_fpu = Some(expect);
        self
    }

    pub(super) const fn says(mut self, says: &'static [&'static str]) -> Self {
        self.says = says;
        self
    }

    const fn may_be_unknown(mut self) -> Self {
        self.unknown = true;
        self
    }

    const fn may_be_feared(mut self) -> Self {
        self.feared = true;
        self
    }

    /// What is expected on a kernel with or without FPU support.
    pub(crate) fn expect(&self, fpu: bool) -> Expect {
        self.with_fpu.filter(|_| fpu).unwrap_or(self.expect)
    }

    /// The path as the guest has it.
    pub(crate) fn path(&self) -> String {
        self.at.map_or_else(|| format!("./{}", self.name), str::to_owned)
    }

    /// The command of the guest that makes it.
    pub(crate) fn guest_command(&self) -> Option<&'static str> {
        if let Make::Guest(command) = self.make { Some(command) } else { None }
    }
}

use Expect::{Agrees, Broken, Dies, Fails, Hidden, Ruined, Runs, Warned};
use Make::{Bytes, C, Debian, DynamicMutant, Go, Guest, Host, Mutant, Text, V2ray};
use Side::{Foreign, Native};

const SWAPPED: &[&str] = &["{own}-endian", "{other}-endian"];
const SWAPPED_GO: &[&str] = &["{own}-endian", "{other}-endian", "GOARCH={goarch} GOMIPS=softfloat"];
const FROM_GO: &str = "hello from go";
const FROM_C: &str = "hello from c";
const FROM_SH: &str = "hello from sh";
const SH: &str = "#!/bin/sh\necho hello from sh\n";

pub(super) const ROWS: &[Row] = &[
    // Whole programs.
    row("go-soft", Go(Native, Float::Soft), Runs(FROM_GO)),
    row("go-hard", Go(Native, Float::Hard), Dies("hard-float-without-fpu", "killed SIGILL later"))
        .with_fpu(Runs(FROM_GO))
        .says(&["softfloat"]),
    row("go-swapped", Go(Foreign, Float::Soft), Dies("wrong-byte-order", "refused ENOEXEC")).says(SWAPPED_GO),
    row("go-swapped-hard", Go(Foreign, Float::Hard), Dies("wrong-byte-order", "refused ENOEXEC"))
        .says(SWAPPED_GO),
    row("v2ray-16", V2ray(Native, Size::Stripped), Runs("V2Ray")).args("-version").large(),
    row("v2ray-5", V2ray(Native, Size::Packed), Runs("V2Ray")).args("-version").large(),
    row("v2ray-swapped-23", V2ray(Foreign, Size::Unstripped), Dies("wrong-byte-order", "refused ENOEXEC"))
        .says(SWAPPED_GO)
        .large(),
    row("v2ray-swapped-16", V2ray(Foreign, Size::Stripped), Dies("wrong-byte-order", "refused ENOEXEC"))
        .says(SWAPPED_GO)
        .large(),
    row("v2ray-swapped-5", V2ray(Foreign, Size::Packed), Dies("wrong-byte-order", "refused ENOEXEC"))
        .says(SWAPPED_GO)
        .large(),
    row("v2ray-debian", Debian(linked::V2RAY), Dies("interpreter-missing", "refused ENOENT"))
        .says(&[
            "/lib/ld.so.1",
            "not found",
            "CGO_ENABLED=0 GOOS=linux GOARCH={goarch} GOMIPS=softfloat go build",
        ])
        .little_endian(),
    row("c-static", C(Native, Link::Static), Runs(FROM_C)),
    row("c-hard-idle", C(Native, Link::HardIdle), Runs(FROM_C)).may_be_feared(),
    row("c-static-hard", C(Native, Link::StaticHard), Warned("hard-float-without-fpu"))
        .with_fpu(Runs(FROM_C)),
    row("c-dynamic", C(Native, Link::Dynamic), Runs(FROM_C)),
    row("c-swapped", C(Foreign, Link::Static), Dies("wrong-byte-order", "refused ENOEXEC")).says(SWAPPED),
    row("c-swapped-dynamic", C(Foreign, Link::Dynamic), Dies("wrong-byte-order", "refused ENOEXEC"))
        .says(SWAPPED),
    row("c-hard-loader", C(Native, Link::DynamicHard), Dies("interpreter-missing", "refused ENOENT"))
        .says(&["/lib/ld-musl-", "-sf.so.1"]),
    row("c-glibc", C(Native, Link::Glibc), Dies("interpreter-missing", "refused ENOENT"))
        .says(&["/lib/ld.so.1", "not found"]),
    row("c-library", C(Native, Link::Library), Agrees),
    row("c-object", C(Native, Link::Object), Dies("not-a-program", "refused ENOEXEC")),
    row("x86-64", Host("/bin/true"), Dies("wrong-architecture", "refused ENOEXEC")),
    row("arm", Bytes(bytes::arm), Dies("wrong-architecture", "refused ENOEXEC")),
    // Permissions and places.
    row("not-executable", C(Native, Link::Static), Dies("not-executable", "refused EACCES")).mode(0o644),
    row("others-only", C(Native, Link::Static), Runs(FROM_C)).mode(0o601),
    row("folder", Guest("mkdir folder"), Dies("not-a-program", "refused EACCES")),
    row("fifo", Guest("mkfifo fifo"), Dies("not-a-program", "refused EACCES")),
    row("device", Guest("true"), Dies("not-a-program", "refused EACCES")).at("/dev/zero"),
    row("noexec", Guest("cp c-static /dev/noexec"), Dies("mount-noexec", "refused EACCES")).at("/dev/noexec"),
    row("noexec-script", Guest("cp script /dev/script"), Dies("mount-noexec", "refused EACCES"))
        .at("/dev/script"),
    // File leases show it; the lab's own kernels are built without CONFIG_FILE_LOCKING.
    row("busy", Guest("cp c-static busy; sleep 1000 >>busy &"), Hidden("refused ETXTBSY"))
        .with_fpu(Dies("file-busy", "refused ETXTBSY")),
    row("missing", Guest("true"), Agrees).may_be_unknown(),
    row("loop", Guest("ln -s loop loop"), Agrees).may_be_unknown(),
    row("link", Guest("ln -s go-swapped link"), Dies("wrong-byte-order", "refused ENOEXEC")).says(SWAPPED_GO),
    // Scripts.
    row("script", Text(SH), Runs(FROM_SH)),
    row("script-argument", Text("#! /bin/sh -e\necho hello from sh\n"), Runs(FROM_SH)),
    row(
        "script-crlf",
        Text("#!/bin/sh\r\necho hello from sh\r\n"),
        Dies("script-with-crlf", "refused ENOENT"),
    )
    .says(&["not found"]),
    row(
        "script-missing",
        Text("#!/usr/bin/python3\nprint()\n"),
        Dies("script-interpreter-missing", "refused ENOENT"),
    )
    .says(&["/usr/bin/python3", "not found"]),
    row("script-bare", Text("#!\necho hello from sh\n"), Agrees),
    row("script-blank", Text("#!   \necho hello from sh\n"), Agrees),
    row("script-unfinished", Text("#!/bin/sh"), Agrees),
    row("script-not-executable", Text("#!./not-executable\n"), Agrees),
    row("script-folder", Text("#!/tmp\n"), Agrees),
    row("script-swapped", Text("#!/tmp/s/go-swapped\n"), Agrees),
    row("script-text", Text("#!/tmp/s/text\n"), Agrees),
    row("script-long", Bytes(bytes::long_line), Agrees),
    row("script-long-name", Bytes(bytes::long_name), Agrees),
    row("script-env", Text("#!/usr/bin/env sh\necho hello from sh\n"), Runs(FROM_SH)),
    row(
        "script-env-missing",
        Text("#!/usr/bin/env bash\necho hello from bash\n"),
        Dies("script-interpreter-missing", "exits 127 start"),
    )
    .says(&["bash"]),
    row(
        "script-env-split",
        Text("#!/usr/bin/env -S sh -e\necho hello from sh\n"),
        Dies("script-line", "exits 1 start"),
    ),
    row(
        "script-env-argument",
        Text("#!/usr/bin/env sh -e\necho hello from sh\n"),
        Dies("script-interpreter-missing", "exits 127 start"),
    ),
    row(
        "script-bom",
        Text("\u{feff}#!/bin/sh\necho hello from sh\n"),
        Dies("not-a-program", "refused ENOEXEC"),
    )
    .says(&["byte order mark"]),
    row("script-late", Text("\n#!/bin/sh\necho hello from sh\n"), Dies("not-a-program", "refused ENOEXEC"))
        .says(&["line 2"]),
    row("script-0644", Text(SH), Dies("not-executable", "refused EACCES")).mode(0o644),
    row("chain-2", Text("#!/tmp/s/script\n"), Runs(FROM_SH)),
    row("chain-3", Text("#!/tmp/s/chain-2\n"), Runs(FROM_SH)),
    row("chain-4", Text("#!/tmp/s/chain-3\n"), Runs(FROM_SH)),
    row("chain-5", Text("#!/tmp/s/chain-4\n"), Agrees),
    row("chain-6", Text("#!/tmp/s/chain-5\n"), Agrees),
    row("chain-7", Text("#!/tmp/s/chain-6\n"), Dies("script-line", "refused ELOOP")),
    row("script-of-itself", Text("#!/tmp/s/script-of-itself\n"), Agrees),
    // What is not a program.
    row("empty", Bytes(bytes::empty), Dies("not-a-program", "refused ENOEXEC")),
    row("one-byte", Text("x"), Dies("not-a-program", "refused ENOEXEC")),
    row("text", Text("hello from a text file\n"), Dies("not-a-program", "refused ENOEXEC")),
    row("shell-text", Text("echo hello from sh\n"), Dies("not-a-program", "refused ENOEXEC")),
    row(
        "html",
        Text("<!DOCTYPE html>\n<html><body>404</body></html>\n"),
        Dies("not-a-program", "refused ENOEXEC"),
    ),
    row("gzip", Bytes(bytes::gzip), Dies("not-a-program", "refused ENOEXEC")),
    row("zip", Bytes(bytes::zip), Dies("not-a-program", "refused ENOEXEC")),
    row("xz", Bytes(bytes::xz), Dies("not-a-program", "refused ENOEXEC")),
    row("zstd", Bytes(bytes::zstd), Dies("not-a-program", "refused ENOEXEC")),
    row("7z", Bytes(bytes::seven_zip), Dies("not-a-program", "refused ENOEXEC")),
    row("tar", Bytes(bytes::tar), Dies("not-a-program", "refused ENOEXEC")),
    row("ipk", Bytes(bytes::ipk), Dies("not-a-program", "refused ENOEXEC")).says(&["ipk"]),
    row("apk", Bytes(bytes::apk), Dies("not-a-program", "refused ENOEXEC")).says(&["apk"]),
    row("deb", Bytes(bytes::deb), Dies("not-a-program", "refused ENOEXEC")).says(&["deb"]),
    row("mach-o", Bytes(bytes::mach_o), Dies("wrong-operating-system", "refused ENOEXEC")).says(&["macOS"]),
    row("pe", Bytes(bytes::pe), Dies("wrong-operating-system", "refused ENOEXEC")).says(&["Windows"]),
    row("freebsd", Bytes(bytes::freebsd), Dies("wrong-operating-system", "killed SIGSEGV later"))
        .says(&["FreeBSD"])
        .little_endian(),
    row("link-text", Text("../bin/hello"), Dies("not-a-program", "refused ENOEXEC")),
    row("html-0644", Text("<!DOCTYPE html>\n"), Dies("not-a-program", "refused EACCES")).mode(0o644),
    row(
        "git-lfs",
        Text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        Dies("not-a-program", "refused ENOEXEC"),
    ),
    row("zeros", Bytes(bytes::zeros), Dies("not-a-program", "refused ENOEXEC")),
    // Cut short.
    row("cut-0x33", Make::Cut(Cut::First(51)), Agrees),
    row("cut-header", Make::Cut(Cut::First(52)), Agrees),
    row("cut-headers", Make::Cut(Cut::First(4096)), Agrees),
    row("cut-half", Make::Cut(Cut::Half), Fails("truncated-file")),
    row("cut-page", Make::Cut(Cut::Without(4096)), Agrees),
    row("cut-10", Make::Cut(Cut::Without(10)), Agrees),
    row(
        "v2ray-cut-header",
        Guest("head -c 52 v2ray-16 >v2ray-cut-header && chmod 755 v2ray-cut-header"),
        Agrees,
    )
    .large(),
    row(
        "v2ray-cut-half",
        Guest("head -c 8257536 v2ray-16 >v2ray-cut-half && chmod 755 v2ray-cut-half"),
        Fails("truncated-file"),
    )
    .large(),
    row(
        "v2ray-cut-page",
        Guest("head -c -4096 v2ray-16 >v2ray-cut-page && chmod 755 v2ray-cut-page"),
        Agrees,
    )
    .large(),
    row("v2ray-cut-10", Guest("head -c -10 v2ray-5 >v2ray-cut-10 && chmod 755 v2ray-cut-10"), Agrees).large(),
    // Damaged on its way.
    row("blank-entry", Mutant(|elf| blank_entry(elf, 64)), Warned("unwritten-content")),
    row("blank", Mutant(first_page), Dies("unwritten-content", "killed SIGSEGV start")),
    row("text-mode", Mutant(text_mode), Ruined("changed-by-transfer")),
    // One field of the ELF header changed.
    row("class-64", Mutant(|elf| elf.set("EI_CLASS", 2)), Agrees),
    row("class-0", Mutant(|elf| elf.set("EI_CLASS", 0)), Agrees),
    row("data-0", Mutant(|elf| elf.set("EI_DATA", 0)), Runs(FROM_C)),
    row("data-swapped", Mutant(|elf| elf.set("EI_DATA", 3 - elf.get("EI_DATA")?)), Runs(FROM_C)),
    row("osabi-freebsd", Mutant(|elf| elf.set("EI_OSABI", 9)), Runs(FROM_C)).may_be_feared(),
    row("type-rel", Mutant(|elf| elf.set("e_type", 1)), Agrees),
    row("type-dyn", Mutant(|elf| elf.set("e_type", 3)), Broken),
    row("type-core", Mutant(|elf| elf.set("e_type", 4)), Agrees),
    row("machine-arm", Mutant(|elf| elf.set("e_machine", 40)), Dies("wrong-architecture", "refused ENOEXEC")),
    row("machine-mips-rs3", Mutant(|elf| elf.set("e_machine", 10)), Agrees),
    row("version-0", Mutant(|elf| elf.set("e_version", 0)), Runs(FROM_C)),
    row("entry-0", Mutant(|elf| elf.set("e_entry", 0)), Agrees),
    row("entry-odd", Mutant(|elf| elf.add("e_entry", 1)), Broken),
    row("entry-2", Mutant(|elf| elf.add("e_entry", 2)), Agrees),
    row("entry-unmapped", Mutant(|elf| elf.set("e_entry", 0x7000_0000)), Agrees),
    row("entry-kernel", Mutant(|elf| elf.set("e_entry", 0x8000_1000)), Agrees),
    row("entry-data", Mutant(|elf| elf.set("e_entry", elf.get_in(data(elf)?, "p_vaddr")?)), Broken),
    row("phoff-0", Mutant(|elf| elf.set("e_phoff", 0)), Agrees),
    row("phoff-beyond", Mutant(|elf| elf.set("e_phoff", 0x0010_0000)), Agrees),
    row("phoff-negative", Mutant(|elf| elf.set("e_phoff", 0x8000_0000)), Agrees),
    row("shoff-beyond", Mutant(|elf| elf.set("e_shoff", 0xffff_ff00)), Runs(FROM_C)),
    row("phentsize-56", Mutant(|elf| elf.set("e_phentsize", 56)), Agrees),
    row("phnum-0", Mutant(|elf| elf.set("e_phnum", 0)), Agrees),
    row("phnum-1", Mutant(|elf| elf.set("e_phnum", 1)), Agrees),
    row("phnum-200", Mutant(|elf| elf.set("e_phnum", 200)), Agrees),
    row("phnum-most", Mutant(|elf| elf.set("e_phnum", 0xffff)), Agrees),
    row("flags-n32", Mutant(|elf| flags(elf, 0x20)), Dies("wrong-mips-abi", "refused ENOEXEC")),
    row("flags-fp64", Mutant(|elf| flags(elf, 0x200)), Dies("wrong-mips-abi", "refused ENOEXEC"))
        .with_fpu(Agrees),
    row("flags-nan2008", Mutant(|elf| flags(elf, 0x400)), Agrees),
    row("flags-abi-o64", Mutant(|elf| elf.set("e_flags", 0x5000_2001)), Agrees),
    row("flags-abi-none", Mutant(|elf| elf.set("e_flags", 0x5000_0001)), Agrees),
    row("flags-mips32r2", Mutant(|elf| elf.set("e_flags", 0x7000_1001)), Runs(FROM_C)),
    row("flags-micromips", Mutant(|elf| flags(elf, 0x0200_0000)), Runs(FROM_C)),
    row("flags-mips16", Mutant(|elf| flags(elf, 0x0400_0000)), Runs(FROM_C)),
    // One field of a program header changed.
    row("offset-8", Mutant(|elf| elf.add_in(text(elf)?, "p_offset", 8)), Agrees),
    row("offset-beyond", Mutant(|elf| elf.add_in(text(elf)?, "p_offset", 0x0010_0000)), Agrees),
    row("vaddr-8", Mutant(|elf| elf.add_in(text(elf)?, "p_vaddr", 8)), Agrees),
    row("vaddr-0", Mutant(|elf| elf.set_in(elf.segment(PT_LOAD)?, "p_vaddr", 0)), Broken),
    row("vaddr-kernel", Mutant(|elf| elf.set_in(data(elf)?, "p_vaddr", 0x8000_0000)), Agrees),
    row("filesz-0", Mutant(|elf| elf.set_in(text(elf)?, "p_filesz", 0)), Broken),
    row("filesz-above-memsz", Mutant(|elf| elf.set_in(data(elf)?, "p_filesz", 0x0100_0000)), Agrees),
    row("filesz-beyond", Mutant(|elf| beyond(elf, 0x1000)), Agrees).with_fpu(Broken).may_be_unknown(),
    row("filesz-far-beyond", Mutant(|elf| beyond(elf, 0x0010_0000)), Agrees)
        .with_fpu(Broken)
        .may_be_unknown(),
    row("memsz-8-mib", Mutant(|elf| elf.set_in(data(elf)?, "p_memsz", 8 << 20)), Runs(FROM_C)),
    row("memsz-200-mib", Mutant(|elf| elf.set_in(data(elf)?, "p_memsz", 200 << 20)), Agrees),
    row("memsz-1-gib", Mutant(|elf| elf.set_in(data(elf)?, "p_memsz", 1 << 30)), Agrees),
    row("memsz-3-gib", Mutant(|elf| elf.set_in(data(elf)?, "p_memsz", 3 << 30)), Agrees),
    row("text-no-load", Mutant(|elf| elf.set_in(text(elf)?, "p_type", 0)), Agrees),
    row("text-no-flags", Mutant(|elf| elf.set_in(text(elf)?, "p_flags", 0)), Agrees),
    row("text-read-only", Mutant(|elf| elf.set_in(text(elf)?, "p_flags", 4)), Agrees),
    row("data-read-only", Mutant(|elf| elf.set_in(data(elf)?, "p_flags", 4)), Broken),
    row("align-0", Mutant(|elf| elf.set_in(text(elf)?, "p_align", 0)), Runs(FROM_C)),
    row("align-3", Mutant(|elf| elf.set_in(text(elf)?, "p_align", 3)), Runs(FROM_C)),
    row("abiflags-short", Mutant(|elf| elf.set_in(elf.segment(PT_MIPS_ABIFLAGS)?, "p_filesz", 12)), Agrees),
    row("abiflags-hard", Mutant(|elf| abiflags(elf, FP_ABI, 1)), Agrees).may_be_feared(),
    row("abiflags-fp64", Mutant(|elf| abiflags(elf, FP_ABI, 6)), Agrees).may_be_feared(),
    row("abiflags-fpxx", Mutant(|elf| abiflags(elf, FP_ABI, 5)), Agrees).may_be_feared(),
    row("abiflags-dsp", Mutant(|elf| abiflags(elf, ASES, 1)), Agrees),
    // The interpreter.
    row("interp-unterminated", DynamicMutant(shorter), Agrees),
    row("interp-1", DynamicMutant(|elf| elf.set_in(elf.segment(PT_INTERP)?, "p_filesz", 1)), Agrees),
    row(
        "interp-beyond",
        DynamicMutant(|elf| elf.set_in(elf.segment(PT_INTERP)?, "p_offset", 0x0010_0000)),
        Agrees,
    ),
    row("interp-long", DynamicMutant(|elf| elf.set_in(elf.segment(PT_INTERP)?, "p_filesz", 5000)), Agrees),
    row("interp-text", DynamicMutant(|elf| interpreter(elf, "/tmp/s/text")), Agrees),
    row("interp-html", DynamicMutant(|elf| interpreter(elf, "/tmp/s/zeros")), Agrees),
    row("interp-script", DynamicMutant(|elf| interpreter(elf, "/tmp/s/script")), Agrees),
    row("interp-swapped", DynamicMutant(|elf| interpreter(elf, "/tmp/s/c-swapped")), Agrees),
    row("interp-static", DynamicMutant(|elf| interpreter(elf, "/tmp/s/c-static")), Agrees).may_be_unknown(),
    row("interp-object", DynamicMutant(|elf| interpreter(elf, "/tmp/s/c-object")), Agrees),
    row("interp-folder", DynamicMutant(|elf| interpreter(elf, "/tmp/s/folder")), Agrees),
    row("interp-relative", DynamicMutant(|elf| interpreter(elf, "no-such-file")), Agrees),
    row("interp-noexec", DynamicMutant(|elf| interpreter(elf, "/dev/noexec")), Agrees),
    row("interp-cut", DynamicMutant(|elf| interpreter(elf, "/tmp/s/cut-0x33")), Agrees),
    row("interp-arm", DynamicMutant(|elf| interpreter(elf, "/tmp/s/arm")), Agrees),
];

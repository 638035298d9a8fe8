//! `--pick` on the release pages of real projects. Which file is right is the word of the project itself: its installer,
//! its documentation, or the options that it builds with.
//!
//! fixtures/release-files.tsv has the names of the files, taken from each project's own release configuration; `partial` is a
//! list that is not known as a whole. fixtures/release-choices.tsv has for each machine which of them run there (`-`: none);
//! an entry is a part of the file's name; `$` stands for its end.

use std::io::Write as _;
use std::process::{Command, Stdio};

use diag::advice::targets::Kind;
use diag::elf::consts::{EF_ARM_ABI_FLOAT_HARD, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_RISCV, EM_X86_64};
use diag::elf::{ByteOrder, Class, Encoding};
use diag::machine::{Abi, Fact, Libc, Machine};
use diag::pick::{Fit, pick, release};
use diag::target::{Auxv, Kernel, Known, Root, Target, Uname};
use diag::text;

const FILES: &str = include_str!("fixtures/release-files.tsv");
const CHOICES: &str = include_str!("fixtures/release-choices.tsv");

/// What decides which file is right.
struct Given {
    name: &'static str,
    uname: &'static str,
    order: ByteOrder,
    e_machine: u16,
    class: Class,
    libc: Libc,
    cpuinfo: &'static str,
    /// DISTRIB_ARCH; empty: Debian.
    openwrt: &'static str,
    /// What `fp-instruction` brings.
    fpu: bool,
}

const X86_64_V3: &str = "flags\t\t: fpu cx8 cmov mmx fxsr sse sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt avx bmi1 avx2 bmi2\n";
const X86_64_V1: &str = "flags\t\t: fpu cx8 cmov mmx fxsr sse sse2 lm\n";

const fn given(
    name: &'static str,
    uname: &'static str,
    e_machine: u16,
    class: Class,
    cpuinfo: &'static str,
    openwrt: &'static str,
) -> Given {
    let libc = if openwrt.is_empty() { Libc::Glibc } else { Libc::Musl };
    Given { name, uname, order: ByteOrder::Little, e_machine, class, libc, cpuinfo, openwrt, fpu: false }
}

use Class::{Elf32, Elf64};

/// Facts of `/proc/cpuinfo` as the kernels of these machines print them.
const MACHINES: [Given; 12] = [
    given("mt7620", "mips", EM_MIPS, Elf32, "isa\t: mips1 mips2 mips32r1 mips32r2\n", "mipsel_24kc"),
    Given {
        order: ByteOrder::Big,
        ..given("ar9344", "mips", EM_MIPS, Elf32, "isa\t: mips1 mips2 mips32r1 mips32r2\n", "mips_24kc")
    },
    given(
        "bcm4708",
        "armv7l",
        EM_ARM,
        Elf32,
        "Features\t: half thumb fastmult edsp tls\nCPU architecture: 7\n",
        "arm_cortex-a9",
    ),
    given(
        "raspberry-pi-zero",
        "armv6l",
        EM_ARM,
        Elf32,
        "Features\t: half thumb fastmult vfp edsp java tls\nCPU architecture: 7\nCPU part\t: 0xb76\nmodel name\t: ARMv6-compatible processor rev 7 (v6l)\n",
        "",
    ),
    given(
        "kirkwood",
        "armv5tel",
        EM_ARM,
        Elf32,
        "Features\t: swp half thumb fastmult edsp\nCPU architecture: 5TE\n",
        "arm_xscale",
    ),
    given(
        "ipq4019",
        "armv7l",
        EM_ARM,
        Elf32,
        "Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt\nCPU architecture: 7\n",
        "arm_cortex-a7_neon-vfpv4",
    ),
    given(
        "mt7622",
        "aarch64",
        EM_AARCH64,
        Elf64,
        "Features\t: fp asimd evtstrm crc32 cpuid\nCPU architecture: 8\n",
        "aarch64_cortex-a53",
    ),
    given("debian-x86-64", "x86_64", EM_X86_64, Elf64, X86_64_V3, ""),
    given("openwrt-x86-64", "x86_64", EM_X86_64, Elf64, X86_64_V1, "x86_64"),
    given(
        "geode",
        "i586",
        EM_386,
        Elf32,
        "flags\t\t: fpu de pse tsc msr cx8 sep pge cmov clflush mmx\n",
        "i386_pentium-mmx",
    ),
    Given {
        order: ByteOrder::Big,
        ..given(
            "octeon",
            "mips64",
            EM_MIPS,
            Elf64,
            "isa\t: mips1 mips2 mips3 mips4 mips5 mips64r2\n",
            "mips64_octeonplus",
        )
    },
    given("debian-riscv64", "riscv64", EM_RISCV, Elf64, "isa\t: rv64imafdc\n", ""),
];

impl Root for Given {
    fn read(&self, path: &diag::path::Path) -> Known<Result<Vec<u8>, diag::errno::Errno>> {
        Some(match path.as_bytes() {
            b"/proc/cpuinfo" => Ok(self.cpuinfo.into()),
            b"/etc/os-release" if self.openwrt.is_empty() => Ok(b"ID=debian\n".to_vec()),
            b"/etc/openwrt_release" if !self.openwrt.is_empty() => {
                Ok(format!("DISTRIB_RELEASE='23.05.5'\nDISTRIB_ARCH='{}'\n", self.openwrt).into())
            }
            _ => Err(diag::errno::Errno::ENOENT),
        })
    }
}

impl Kernel for Given {
    fn uname(&self) -> Known<Uname> {
        Some(Uname { told: None, release: "5.15.167".into(), machine: self.uname.into() })
    }

    fn auxv(&self) -> Auxv {
        Auxv { page_size: Some(4096), ..Auxv::default() }
    }
}

impl Given {
    fn machine(&self) -> Machine<'_> {
        use diag::target::{Answer, Capability};
        let mut machine = Machine::new(Target::new(self));
        let encoding = Encoding { order: self.order, class: self.class };
        let abi = Abi {
            e_machine: self.e_machine,
            encoding,
            e_flags: if self.name == "raspberry-pi-zero" { EF_ARM_ABI_FLOAT_HARD } else { 0 },
        };
        machine.userland = Fact::new(Some(abi), "the test").into();
        let mut kernel = machine.kernel().clone();
        kernel.byte_order = Fact::new(Some(self.order), "the test");
        machine.kernel = Box::new(kernel).into();
        machine.libc = Fact::new(Some(self.libc), "the test").into();
        if self.e_machine == EM_MIPS && !self.fpu {
            machine.answers.push((Capability::FpInstruction, Fact::new(Some(Answer::Killed), "the test")));
        }
        machine
    }
}

/// The files of a project.
fn files(project: &str) -> Vec<&'static str> {
    let rows = FILES.lines().skip(1).filter_map(|line| line.split_once('\t'));
    rows.filter(|(of, _)| *of == project).filter_map(|(_, rest)| rest.split('\t').next()).collect()
}

fn is(file: &[u8], entry: &str) -> bool {
    let file = std::str::from_utf8(file).unwrap();
    entry.strip_suffix('$').map_or_else(|| file.contains(entry), |end| file.ends_with(end))
}

#[test]
fn no_wrong_file_is_first_on_any_page_for_any_machine() {
    let mut lines = CHOICES.lines();
    let machines: Vec<&str> = lines.next().expect("a head").split('\t').skip(1).collect();
    let (mut told, mut open, mut wrong) = (0, 0, Vec::new());
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let (project, cells) = cells.split_first().expect("a project");
        let files = files(project);
        assert!(!files.is_empty(), "{project}");
        for (machine, right) in machines.iter().zip(cells) {
            let given = MACHINES.iter().find(|given| given.name == *machine).expect("a machine");
            let choices = pick(&mut given.machine(), files.iter().map(|file| file.as_bytes()));
            assert_eq!(choices.len(), files.len());
            let right: Vec<&str> = right.split(' ').filter(|right| *right != "-").collect();
            for right in &right {
                if !files.iter().any(|file| is(file.as_bytes(), right)) {
                    wrong.push(format!("{project}: {right} is on no list"));
                }
            }
            let best = choices.first().expect("a file");
            let is_right = right.iter().any(|right| is(best.name, right));
            if best.fit == Fit::Fits && !is_right {
                wrong.push(format!(
                    "{project} on {machine}: {} ({}), right is {right:?}",
                    text::printable(best.name),
                    best.reason
                ));
            } else if best.fit == Fit::Fits {
                told += 1;
            } else if !right.is_empty() {
                open += 1;
                // What is right may be unsure, and is never ruled out.
                for choice in &choices {
                    if right.iter().any(|right| is(choice.name, right))
                        && choice.fit == Fit::No
                        && !choice.reason.contains("package for")
                    {
                        wrong.push(format!(
                            "{project} on {machine}: {} is ruled out: {}",
                            text::printable(choice.name),
                            choice.reason
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{told} told, {open} open", wrong.join("\n"));
    assert_eq!(
        (told, open),
        (241, 31),
        "machines that are told a file, and those whose page does not say which"
    );
}

fn diag(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diag"));
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read is no fault here.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The word for the machine that the tests run on, and one for another.
fn own_and_foreign() -> (String, &'static str) {
    let (status, go, _) = diag(&["--targets", "go"], b"");
    assert_eq!(status, 0);
    let own = go.trim().rsplit_once("GOARCH=").unwrap().1.split(' ').next().unwrap().to_owned();
    (own, "mipsle-softfloat")
}

#[test]
fn names_come_from_arguments_from_lines_and_from_a_release() {
    let (own, foreign) = own_and_foreign();
    let [right, wrong] = [format!("tool-linux-{own}.tar.gz"), format!("tool-linux-{foreign}.tar.gz")];
    let best = format!("{right}\n");
    let told = |arguments: &[&str], input: &str| {
        let (status, stdout, stderr) = diag(arguments, input.as_bytes());
        assert_eq!(stderr, "", "{arguments:?}");
        (status, stdout)
    };
    assert_eq!(told(&["-q", "--pick", &wrong, &right], ""), (0, best.clone()));
    assert_eq!(told(&["-q", "--pick", "-"], &format!("{wrong}\n\n  {right}\r\n")), (0, best.clone()));
    let release = format!(
        r#"{{"name": "v1.0 \"one\"", "assets": [{{"name": "{wrong}", "uploader": {{"name": "x"}}, "browser_download_url": "https://a/{wrong}"}},
        {{"browser_download_url" : "https:\/\/a\/tool%2Dlinux-{own}.tar.gz"}}],
        "body": "[}} \"browser_download_url\": \"https://a/not\" browser_download_url"}}"#
    );
    assert_eq!(told(&["-q", "--pick", "-"], &release), (0, best.clone()));
    // One that is given twice is told twice; what is given comes before what is read.
    let (status, text) = told(&["--pick", &right, "-"], &right);
    assert_eq!((status, text.matches(&right).count()), (0, 2));
    assert_eq!(told(&["-q", "--pick", &wrong], ""), (1, String::new()));
    assert_eq!(told(&["-q", "--pick", "tool"], ""), (2, String::new()));
    assert_eq!(told(&["-q", "--pick", "-"], ""), (1, String::new()));
    let (status, text) = told(&["--pick", "--json", &wrong, &right], "");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, report["files"][0]["name"].as_str(), report["files"][1]["fit"].as_str()),
        (0, Some(&*right), Some("no"))
    );
    assert_eq!(report["machine"]["targets"]["go"].as_str().map(|go| go.contains(&own)), Some(true));
}

/// A script must not take a word for a target where there is none: stdout is empty then.
#[test]
fn a_target_is_one_line_or_nothing() {
    for kind in Kind::ALL {
        let (status, stdout, stderr) = diag(&["--targets", kind.name()], b"");
        match status {
            0 => assert!(
                stdout.ends_with('\n') && stdout.lines().count() == 1 && stderr.is_empty(),
                "{stdout:?}"
            ),
            status => assert_eq!((status, &*stdout, stderr.lines().count()), (2, "", 1), "{}", kind.name()),
        }
    }
    for wrong in [
        &["--targets", "perl"][..],
        &["--targets"],
        &["--targets", "go", "/bin/true"],
        &["--pick"],
        &["--pick", "--dest", "/", "a"],
    ] {
        let (status, stdout, stderr) = diag(wrong, b"");
        assert_eq!((status, &*stdout, stderr.lines().count()), (2, "", 1), "{wrong:?}");
    }
}

#[test]
fn what_a_toolchain_calls_a_machine() {
    let of = |machine: &str, kind: Kind| {
        let given = MACHINES.iter().find(|given| given.name == machine).unwrap();
        kind.of(&given.machine())
    };
    for (machine, kind, name) in [
        ("mt7620", Kind::Go, "GOOS=linux GOARCH=mipsle GOMIPS=softfloat"),
        ("mt7620", Kind::Rust, "mipsel-unknown-linux-musl"),
        ("mt7620", Kind::Zig, "mipsel-linux-musleabi"),
        ("mt7620", Kind::Gcc, "-static -march=mips32r2 -msoft-float"),
        ("mt7620", Kind::OpenWrt, "mipsel_24kc"),
        ("mt7620", Kind::Docker, "linux/mipsle"),
        ("bcm4708", Kind::Docker, "linux/arm/v5"),
        ("ipq4019", Kind::Docker, "linux/arm/v7"),
        ("raspberry-pi-zero", Kind::Debian, "armhf"),
        ("mt7622", Kind::Debian, "arm64"),
    ] {
        assert_eq!(of(machine, kind).as_deref(), Some(name), "{machine} {kind:?}");
    }
    // Debian's mipsel is hard-float, and the Raspberry Pi has no architecture of OpenWrt.
    assert_eq!(of("mt7620", Kind::Debian), None);
    assert_eq!(of("raspberry-pi-zero", Kind::OpenWrt), None);
}

#[test]
fn names_that_mean_harm_are_told_as_they_are() {
    let long = "linux-".repeat(20_000);
    for name in ["", "-", "\u{1b}[31mlinux-amd64", "a\nb-linux-amd64", "..\u{202e}linux", &long] {
        let choices = pick(&mut MACHINES[0].machine(), [name.as_bytes()].into_iter());
        assert_eq!(choices.len(), 1);
    }
    for text in ["", "[", "{\"browser_download_url\":\"a/b\"", "]", &"[".repeat(100_000)] {
        assert!(!release::names(text.as_bytes(), |_| panic!("a name in {text:.20}")), "{text:.20}");
    }
    for url in ["", ":", ":\"", ": \"", ":null", ", \"a/b\""] {
        let text = format!("[\"browser_download_url\"{url}]");
        assert!(release::names(text.as_bytes(), |_| panic!("a name in {text}")));
    }
    let mut names = Vec::new();
    assert!(release::names(b"[\"browser_download_url\":\"b%2b%zz%\",]", |name| names.push(name.to_vec())));
    assert_eq!(names, [b"b+%zz%"]);
    let (status, stdout, _) = diag(&["--pick", "\u{1b}[31mlinux-amd64"], b"");
    assert!(status != 2 && !stdout.contains('\u{1b}'), "{stdout:?}");
}

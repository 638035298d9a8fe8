//! ELF files and other candidates, read from disk: against another reader, cut at every length, and damaged.
#![allow(clippy::cast_possible_truncation, clippy::pedantic)]

mod files;
mod skipped;

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use diag::candidate::{Candidate, Content, Image, Interp, TableError, Toolchain, sample};
use diag::elf::{ByteOrder, Class, Encoding};
use diag::errno::Errno;
use files::{Files, Temp, open as open_file};
use object::Endianness;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use skipped::skipped;
use testkit::Elf;
use testkit::abi::ABIS;

const fn encoding(order: ByteOrder, class: Class) -> Encoding {
    Encoding { order, class }
}
const BE32: Encoding = encoding(ByteOrder::Big, Class::Elf32);
const LE32: Encoding = encoding(ByteOrder::Little, Class::Elf32);
const LE64: Encoding = encoding(ByteOrder::Little, Class::Elf64);
const BE64: Encoding = encoding(ByteOrder::Big, Class::Elf64);
const ALL: [Encoding; 4] = [BE32, LE32, LE64, BE64];

fn own(candidate: &Candidate) -> &Image {
    candidate.program().unwrap().declared.as_ref().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Compares with what the `object` crate reads of the same bytes.
fn cross<H: FileHeader<Endian = Endianness>>(data: &[u8], image: &Image, what: &str) {
    let header = H::parse(data).unwrap();
    let endian = header.endian().unwrap();
    let h = &image.header;
    assert_eq!(h.e_type, header.e_type(endian).0, "{what}");
    assert_eq!(h.e_machine, header.e_machine(endian).0, "{what}");
    assert_eq!(h.e_version, header.e_version(endian), "{what}");
    assert_eq!(h.e_entry, header.e_entry(endian).into(), "{what}");
    assert_eq!(h.e_phoff, header.e_phoff(endian).into(), "{what}");
    assert_eq!(h.e_shoff, header.e_shoff(endian).into(), "{what}");
    assert_eq!(h.e_flags, header.e_flags(endian).0, "{what}");
    assert_eq!(h.e_ehsize, header.e_ehsize(endian), "{what}");
    assert_eq!(h.e_phentsize, header.e_phentsize(endian), "{what}");
    assert_eq!(h.e_phnum, header.e_phnum(endian), "{what}");
    assert_eq!(h.e_shentsize, header.e_shentsize(endian), "{what}");
    assert_eq!(h.e_shnum, header.e_shnum(endian), "{what}");
    assert_eq!(h.e_shstrndx, header.e_shstrndx(endian).0, "{what}");
    let theirs = header.program_headers(endian, data).unwrap();
    if theirs.is_empty() {
        assert!(image.program_headers.is_err());
        return;
    }
    let ours = image.program_headers.as_ref().unwrap();
    assert_eq!(ours.len(), theirs.len());
    let mut interp = None;
    for (our, their) in ours.iter().zip(theirs) {
        assert_eq!(our.p_type, their.p_type(endian).0);
        assert_eq!(our.p_flags, their.p_flags(endian).0);
        assert_eq!(our.p_offset, their.p_offset(endian).into());
        assert_eq!(our.p_vaddr, their.p_vaddr(endian).into());
        assert_eq!(our.p_filesz, their.p_filesz(endian).into());
        assert_eq!(our.p_memsz, their.p_memsz(endian).into());
        assert_eq!(our.p_align, their.p_align(endian).into());
        interp = interp.or(their.interpreter(endian, data).unwrap());
    }
    assert_eq!(image.interp, interp.map(|path| Interp::Path(path.to_vec())), "{what}");
    let sections = header.sections(endian, data).unwrap();
    let mut needed = Vec::new();
    if let Some((entries, link)) = sections.dynamic(endian, data).unwrap() {
        let strings = sections.strings(endian, data, link).unwrap();
        for entry in entries {
            if entry.tag(endian) == object::elf::DT_NEEDED {
                needed.push(entry.string(endian, strings).unwrap().to_vec());
            }
        }
        assert_eq!(image.dynamic.as_ref().unwrap().needed, needed, "{what}");
    }
}

fn cross_any(data: &[u8], image: &Image, what: &str) {
    match image.encoding.class {
        Class::Elf32 => cross::<object::elf::FileHeader32<Endianness>>(data, image, what),
        Class::Elf64 => cross::<object::elf::FileHeader64<Endianness>>(data, image, what),
    }
}

fn rich(abi: &str) -> Elf {
    Elf::of(abi)
        .interp("/lib/ld-musl.so.1")
        .abiflags(32, 2, 3, 1)
        .needed("libc.so")
        .needed("libgcc_s.so.1")
        .dynamic(14, "libself.so.1")
        .dynamic(15, "/opt/lib")
        .dynamic(29, "$ORIGIN/../lib")
        .note(b"GNU\0", 1, &[0; 16])
        .go()
}

#[test]
fn every_abi_reads_as_it_was_built() {
    for abi in ABIS {
        let (name, bits, big) = (abi.name, if abi.encoding.wide { 64 } else { 32 }, abi.encoding.big);
        for elf in [Elf::of(name), rich(name)] {
            let bytes = elf.build();
            let file = Temp::new(&format!("abi-{name}"), &bytes);
            let candidate = file.open(&ALL);
            let image = own(&candidate);
            assert_eq!((image.encoding.class.bits(), image.encoding.order == ByteOrder::Big), (bits, big));
            assert_eq!((image.header.e_machine, image.header.e_flags), (abi.e_machine, abi.e_flags));
            cross_any(&bytes, image, name);
            let program = candidate.program().unwrap();
            assert_eq!(program.as_read.len(), 4);
            for native in &program.as_read {
                assert_eq!(native.program_headers.is_ok(), native.encoding == image.encoding, "{name}");
            }
        }
        let file = Temp::new(&format!("rich-{name}"), &rich(name).build());
        let candidate = file.open(&[]);
        let image = own(&candidate);
        assert_eq!(image.interp, Some(Interp::Path(b"/lib/ld-musl.so.1".to_vec())));
        let dynamic = image.dynamic.as_ref().unwrap();
        let needed: Vec<&str> = dynamic.needed.iter().map(|n| text(n)).collect();
        assert_eq!(needed, ["libc.so", "libgcc_s.so.1"]);
        assert_eq!(dynamic.soname.as_deref().map(text), Some("libself.so.1"));
        assert_eq!(dynamic.rpath.as_deref().map(text), Some("/opt/lib"));
        assert_eq!(dynamic.runpath.as_deref().map(text), Some("$ORIGIN/../lib"));
        assert_eq!(image.abi_tag, Some((0, (0, 0, 0))));
        assert_eq!(
            image.abiflags.map(|a| (a.isa_level, a.fp_abi, a.ases)),
            (abi.e_machine == 8).then_some((32, 3, 1))
        );
        assert_eq!(candidate.program().unwrap().origin().toolchain, Toolchain::Go);
        assert_eq!(candidate.interpreter.as_ref().unwrap().path, diag::path::Path::new("/lib/ld-musl.so.1"));
    }
}

#[test]
fn this_hosts_programs_read_as_object_reads_them() {
    let mut seen = 0;
    let mut spent = 0;
    for entry in fs::read_dir("/usr/bin").unwrap().chain(fs::read_dir("/usr/sbin").unwrap()).flatten() {
        let path = entry.path();
        let Ok(mut data) = fs::read(&path) else { continue };
        if !data.starts_with(b"\x7fELF") || seen == 400 {
            continue;
        }
        seen += 1;
        let before = read_so_far();
        let candidate = open_file(&path, &[LE64, LE32]);
        // Its interpreter was read as well.
        spent = spent.max(read_so_far() - before);
        cross_any(&data, own(&candidate), &path.display().to_string());
        data.clear();
    }
    assert!(seen > 10 || cfg!(not(target_os = "linux")));
    assert!(spent <= 2 * 24 * 1024, "{spent} bytes read of one program and its interpreter");
}

/// Bytes that this thread has asked of read(2) and pread(2).
fn read_so_far() -> u64 {
    let io = fs::read_to_string("/proc/thread-self/io").unwrap();
    // Reading this file counts too, but less than anybody minds.
    io.lines().next().unwrap().trim_start_matches("rchar: ").parse().unwrap()
}

#[test]
fn a_file_cut_at_any_length_is_read_without_a_panic() {
    for name in ["mips", "n64el", "armhf", "x86-64"] {
        let bytes = rich(name).build();
        let file = Temp::new(&format!("cut-{name}"), &bytes);
        for len in (0..bytes.len()).rev() {
            File::options().write(true).open(&file.0).unwrap().set_len(len as u64).unwrap();
            let candidate = file.open(&ALL);
            match (&candidate.content, len) {
                (Content::Foreign(_), 0..4) => {}
                (Content::Elf(program), _) => {
                    let header = if matches!(name, "mips" | "armhf") { 52 } else { 64 };
                    assert_eq!(program.declared.is_some(), len >= header, "{name} {len}");
                    // The kernel's buffer is padded with zeros.
                    assert_eq!(program.as_read.len(), 4);
                }
                _ => panic!("{name} cut at {len}"),
            }
        }
    }
    let line = b"#! /bin/sh -e\n";
    for len in 2..=line.len() {
        let file = Temp::new("cut-script", &line[..len]);
        assert!(matches!(file.open(&ALL).content, Content::Script(_)));
    }
}

#[test]
fn damaged_files_are_read_without_a_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let host = fs::read("/proc/self/exe").unwrap();
    for (name, good) in [
        ("mipsel", rich("mipsel").build()),
        ("x86-64", rich("x86-64").build()),
        ("n64", rich("n64").build()),
        ("host", host[..65_536.min(host.len())].to_vec()),
    ] {
        let file = Temp::new(&format!("bad-{name}"), &good);
        let mut handle = File::options().write(true).open(&file.0).unwrap();
        for _ in 0..1500 {
            let mut bytes = good.clone();
            for _ in 0..=random() % 6 {
                // Mostly in the headers, where it hurts.
                let end = if random() % 4 == 0 { bytes.len() } else { bytes.len().min(400) };
                let at = 4 + (random() as usize) % (end - 4);
                bytes[at] = [0, 1, 0x7f, 0x80, 0xff, random() as u8][random() as usize % 6];
            }
            handle.rewind().unwrap();
            handle.write_all(&bytes).unwrap();
            let before = read_so_far();
            let _ = file.open(&ALL);
            // A table of 64 KiB in each of four encodings, in the very worst case.
            assert!(read_so_far() - before < 400 * 1024);
        }
    }
}

#[test]
fn pt_interp_is_read_as_the_kernel_reads_it() {
    let interp = |elf: Elf| {
        let file = Temp::new("interp", &elf.build());
        own(&file.open(&[])).interp.clone().unwrap()
    };
    let elf = || Elf::of("x86-64").interp("/lib/x");
    assert_eq!(interp(elf()), Interp::Path(b"/lib/x".to_vec()));
    assert_eq!(interp(elf().set("PT_INTERP.p_filesz", 1)), Interp::Size(1));
    assert_eq!(interp(elf().set("PT_INTERP.p_filesz", 4097)), Interp::Size(4097));
    assert_eq!(interp(elf().set("PT_INTERP.p_filesz", 6)), Interp::NotTerminated);
    assert_eq!(interp(elf().set("PT_INTERP.p_filesz", 4096)), Interp::Truncated);
    assert_eq!(interp(elf().set("PT_INTERP.p_offset", 1 << 40)), Interp::Truncated);
    assert_eq!(interp(elf().set("PT_INTERP.p_offset", u64::MAX)), Interp::NegativeOffset);
    assert_eq!(interp(elf().set("PT_INTERP.p_offset", i64::MAX as u64)), Interp::NegativeOffset);
    assert_eq!(interp(Elf::of("mips").interp("/a\0b")), Interp::Path(b"/a".to_vec()));
    assert_eq!(
        interp(Elf::of("mips").interp("/a").set("PT_INTERP.p_offset", u32::MAX.into())),
        Interp::Truncated
    );
    let missing = Temp::new("missing", &elf().build());
    assert_eq!(missing.open(&[LE64]).interpreter.unwrap().stat, Some(Err(Errno::ENOENT)));
}

#[test]
fn program_header_tables_that_the_kernel_cannot_have() {
    let error = |elf: Elf| {
        let file = Temp::new("table", &elf.build());
        own(&file.open(&[])).program_headers.clone().err()
    };
    for name in ["x86-64", "mips"] {
        let elf = || Elf::of(name);
        let most = if name == "mips" { 2048 } else { 1170 };
        assert_eq!(error(elf()), None);
        assert_eq!(error(elf().set("e_phentsize", 40)), Some(TableError::EntrySize));
        assert_eq!(error(elf().set("e_phnum", 0)), Some(TableError::Empty));
        assert_eq!(error(elf().set("e_phnum", most + 1)), Some(TableError::TooLarge));
        assert_eq!(error(elf().set("e_phnum", most)), Some(TableError::Truncated));
        assert_eq!(error(elf().set("e_phoff", 0x7000_0000)), Some(TableError::Truncated));
        assert_eq!(error(elf().set("e_phoff", u64::MAX)), Some(TableError::Truncated));
    }
}

#[test]
fn a_huge_file_costs_no_more_than_a_small_one() {
    let file = Temp::new("huge", &rich("mips").set("e_phoff", 0x4000_0000).set("e_phnum", 2048).build());
    let handle = File::options().write(true).open(&file.0).unwrap();
    handle.set_len(1 << 40).unwrap();
    handle.write_at(&[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], 0x4000_0000).unwrap();
    let before = read_so_far();
    let candidate = file.open(&[BE32]);
    assert!(read_so_far() - before < 72 * 1024);
    assert_eq!(own(&candidate).program_headers.as_ref().unwrap().len(), 2048);
    let before = read_so_far();
    assert!(sample::compressed_per_kib(&Files, &candidate).unwrap() < 20);
    assert!(read_so_far() - before <= 41 * 1024);
}

#[test]
fn scripts_lead_to_six_interpreters_at_most() {
    let file = Temp::new("self", b"");
    fs::write(&file.0, [b"#!", file.0.as_os_str().as_encoded_bytes(), b"\n"].concat()).unwrap();
    let mut candidate = &file.open(&[LE64]);
    let mut depth = 0;
    while let Some(next) = &candidate.interpreter {
        depth += 1;
        candidate = next;
    }
    assert_eq!(depth, 6);

    // An ELF interpreter's own PT_INTERP means nothing; the interpreter of a script is a program like any other.
    let inner = Temp::new("inner", &Elf::of("x86-64").interp("/nowhere").build());
    let inner_path = inner.0.to_str().unwrap();
    let outer = Temp::new("outer", &Elf::of("x86-64").interp(inner_path).build()).open(&[LE64]);
    assert!(outer.interpreter.unwrap().interpreter.is_none());
    let script = Temp::new("script", format!("#!{inner_path} -x\n").as_bytes()).open(&[LE64]);
    assert_eq!(script.interpreter.unwrap().interpreter.unwrap().path, diag::path::Path::new("/nowhere"));
    let empty = Temp::new("empty-name", b"#!").open(&[LE64]);
    assert!(empty.interpreter.is_none());
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    for path in ["/", "/dev/zero", "/dev/null"] {
        let candidate = open_file(Path::new(path), &ALL);
        assert!(matches!(candidate.content, Content::Unread(Errno::EACCES)), "{path}");
    }
    let candidate = open_file(Path::new("/nowhere/at/all"), &ALL);
    assert!(matches!(candidate.content, Content::Unread(Errno::ENOENT)));
    assert_eq!(candidate.may_execute, Some(Err(Errno::ENOENT)));
}

/// What UPX writes behind two program headers, in both byte orders, and at the end of the file.
#[test]
fn upx_tells_the_unpacked_size() {
    for name in ["mips", "mipsel", "x86-64"] {
        let mut bytes = Elf::of(name).build();
        let big = name == "mips";
        let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let at = if name == "x86-64" { 120 } else { 84 };
        let mut info = vec![0x30, 0x3f, 0x22, 0x58];
        info.extend(b"UPX!\x0a\xe8\x0e\x89");
        for n in [0, 16_515_072, 9_011_060, 308, 158] {
            info.extend(word(n));
        }
        bytes.truncate(at);
        let bare = bytes.clone();
        bytes.extend(&info);
        bytes.extend(vec![0xaa; 5000]);
        let size = |bytes: &[u8]| {
            let file = Temp::new(&format!("upx-{name}"), bytes);
            file.open(&[]).program().unwrap().upx.map(|upx| upx.unpacked)
        };
        assert_eq!(size(&bytes), Some(Some(16_515_072)), "{name}");
        // The size wiped out: the header at the end has it too.
        bytes[at + 16..at + 24].fill(0);
        assert_eq!(size(&bytes), Some(None), "{name}");
        let mut tail = b"UPX!\x0e\x89\x08\x09".to_vec();
        for n in [16_515_072, 5_203_172, 0, 0, 16_515_072] {
            tail.extend(word(n));
        }
        tail.extend([0, 0, 0]);
        tail.push((tail[4..].iter().map(|b| u32::from(*b)).sum::<u32>() % 251) as u8);
        bytes.extend(&tail);
        bytes.extend([0; 4]);
        assert_eq!(size(&bytes), Some(Some(16_515_072)), "{name}");
        assert_eq!(size(&[&bare[..], &[0xaa; 5000], &tail].concat()), Some(Some(16_515_072)), "{name}");
        assert_eq!(size(&Elf::of(name).build()), None);
    }
}

/// The seed's program, where the cache is at hand.
#[test]
fn the_seeds_program() {
    let cache = std::env::var_os("DIAG_CACHE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cache"), PathBuf::from);
    let path = cache.join("v2ray-4.34-mips-softfloat.upx");
    if !path.exists() {
        skipped("the_seeds_program: DIAG_CACHE has no v2ray");
        return;
    }
    let candidate = open_file(&path, &[LE32]);
    let program = candidate.program().unwrap();
    assert_eq!(program.upx.unwrap().unpacked, Some(16_515_072));
    assert_eq!(program.as_read[0].header.e_type, 0x0200);
    assert!(sample::compressed_per_kib(&Files, &candidate).unwrap() > 980);
}

//! Machines by name: `--on NAME`, `--on all`, `--on list`.
#![cfg(feature = "catalogue")]

use std::process::Command;

use diag::catalogue::{self, architectures, devices, find, systems};
use diag::elf::ByteOrder;
use diag::machine::Machine;
use diag::target::Target;
use testkit::elf::Elf;

fn diag(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_diag")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A row that gives no machine would be found by nobody.
#[test]
fn every_row_gives_a_machine_of_its_architecture() {
    for architecture in architectures() {
        let entry = find(architecture.name).unwrap_or_else(|why| panic!("{}: {why}", architecture.name));
        let recorded = entry.machine().unwrap();
        let machine = Machine::new(Target::new(&recorded));
        assert_eq!(machine.kernel().machine.get().map(String::as_str), Some(architecture.uname));
        // diag does not judge for ARC.
        if !architecture.name.starts_with("arc_") {
            assert!(machine.e_machine().is_some() && machine.byte_order().is_some(), "{}", architecture.name);
            assert!(
                machine.userland().get().is_some() && machine.libc().get().is_some(),
                "{}",
                architecture.name
            );
        }
    }
    let mut count = 0;
    for device in devices() {
        count += 1;
        let newest = device.releases().last().unwrap();
        let whole = format!("{}/{}", device.target, device.id);
        let entry = find(&format!("{whole}@{newest}")).unwrap_or_else(|why| panic!("{whole}: {why}"));
        assert_eq!(entry.device.map(|found| (found.id, found.target)), Some((device.id, device.target)));
        match find(&format!("{}@{newest}", device.id)) {
            Ok(entry) => assert_eq!(entry.device.map(|found| found.id), Some(device.id)),
            // It stands on two targets of one release.
            Err(why) => assert!(why.starts_with("it stands for") && why.contains(&whole), "{whole}: {why}"),
        }
        assert!(architectures().any(|known| known.name == device.architecture), "{}", device.architecture);
        assert!(entry.machine().is_ok(), "{}", device.id);
    }
    assert_eq!((count, architectures().count()), (4178, 94));
}

#[test]
fn a_machine_is_found_by_each_of_its_names() {
    for name in ["lenovo_newifi-y1", "y1", "lenovo,newifi-y1", "Lenovo Y1", "LENOVO_NEWIFI-Y1", "lenovo y1"] {
        assert_eq!(find(name).unwrap().name(), "lenovo_newifi-y1@25.12", "{name}");
    }
    assert_eq!(find("y1@19.07.10").unwrap().name(), "y1@19.07");
    assert_eq!(find("ramips/mt7620@23.05.5").unwrap().name(), "ramips/mt7620@23.05");
    assert_eq!(find("mipsel_24kc").unwrap().name(), "mipsel_24kc@25.12");
    assert_eq!(find("kirkwood/generic/seagate_goflexhome@23.05").unwrap().target, "kirkwood/generic");
    let wrong = |name: &str| find(name).unwrap_err();
    assert_eq!(
        wrong("comtrend_ct-6373@21.02"),
        "it stands for 2 machines: bcm63xx/generic/comtrend_ct-6373, bcm63xx/smp/comtrend_ct-6373"
    );
    assert!(wrong("lenovo_newifi-y1@19.07").contains("21.02, 22.03, 23.05, 24.10, 25.12"));
    assert!(wrong("archer c7").starts_with("it stands for"));
    assert!(wrong("lenovo y7").contains("lenovo_newifi-y1"));
    for name in ["", "@", "@19.07", "\u{1b}[31m", "..", &"x".repeat(100_000)] {
        assert!(find(name).is_err(), "{name:.20}");
    }
}

/// Nobody asked its kernel, and "this machine" would be the computer that diag runs on.
#[test]
fn a_machine_by_name_is_called_by_it_and_claims_no_answer() {
    for (name, whole, model) in [
        ("y1", "lenovo_newifi-y1@25.12", "Lenovo Y1, mipsel_24kc"),
        ("mipsel_24kc", "mipsel_24kc@25.12", "mipsel_24kc@25.12"),
        ("debian:12/mipsel", "debian:12/mipsel", "debian:12/mipsel"),
        ("raspios:12/armhf", "raspios:12/armhf", "raspios:12/armhf"),
        ("x86/64", "x86/64@25.12", "x86/64@25.12"),
    ] {
        let (_, description, _) = diag(&["--on", name]);
        assert!(description.starts_with("  machine: "), "{description}");
        let row = description.split("\n  OpenWrt:").next().unwrap().split("\n  CPU:").next().unwrap();
        assert!(row.ends_with(&format!("{whole} (by name)")), "{name}: {row}");
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, Elf::of("loongarch64").build()).unwrap();
        let (_, report, _) = diag(&["--on", name, program.to_str().unwrap()]);
        assert!(report.contains(&format!("\n  machine: {model}; e_machine ")), "{name}: {report}");
        let (_, json, _) = diag(&["--on", name, "--json"]);
        assert!(!description.contains("tiny program") && !json.contains("tiny program"), "{name}: {json}");
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["machine"]["name"], whole);
    }
}

/// The byte order is of /bin/busybox' header, which is made by the row.
#[test]
fn byte_orders_are_told_apart() {
    let of = |name: &str| {
        let recorded = find(name).unwrap().machine().unwrap();
        Machine::new(Target::new(&recorded)).byte_order()
    };
    assert_eq!(of("mips_24kc"), Some(ByteOrder::Big));
    assert_eq!(of("mipsel_24kc"), Some(ByteOrder::Little));
    assert_eq!(of("mips64_octeonplus"), Some(ByteOrder::Big));
    assert_eq!(of("armeb_xscale"), Some(ByteOrder::Big));
}

/// Whether docs/machines.schema.json has each field of an object, which stands in these lists.
fn is_described(object: &serde_json::Value, lists: &[&str]) {
    let schema = serde_json::from_str(include_str!("../docs/machines.schema.json")).unwrap();
    let described =
        lists.iter().fold(&schema, |schema: &serde_json::Value, list| &schema["properties"][list]["items"]);
    for field in described["required"].as_array().unwrap() {
        assert!(object.get(field.as_str().unwrap()).is_some(), "{object} lacks {field}");
    }
    for field in object.as_object().unwrap().keys() {
        assert!(described["properties"].get(field).is_some(), "{field} is not described");
    }
}

/// What releases of musl define is known since 1.2.3, for the architectures that Debian has.
#[test]
fn a_release_of_musl_tells_what_a_program_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("linked");
    // What is only looked up when it is called is looked up at the start by musl.
    let lacks = |elf: Elf, symbol: &str| std::fs::write(&path, elf.symbol(symbol, false).build()).unwrap();
    let said = |name: &str| judged(name, path.to_str().unwrap());
    let linked = |abi: &str, loader: &str| Elf::of(abi).interp(loader).needed("libc.so");
    for (abi, loader, machine) in [
        ("x86-64", "/lib/ld-musl-x86_64.so.1", "x86/64"),
        ("mipsel", "/lib/ld-musl-mipsel-sf.so.1", "mipsel_24kc"),
        ("mips", "/lib/ld-musl-mips-sf.so.1", "mips_24kc"),
        ("aarch64", "/lib/ld-musl-aarch64.so.1", "aarch64_cortex-a53"),
    ] {
        // The first release that has it, and the last; musl 1.2.3, 1.2.4 and 1.2.5 are 22.03's, 23.05's and 24.10's.
        for (symbol, since, until) in [
            ("printf", "22.03", "25.12"),
            ("pthread_getname_np", "22.03", "25.12"),
            ("statx", "24.10", "25.12"),
            // Since 1.2.4 its loader has them under other names.
            ("open64", "22.03", "25.12"),
            ("gnu_get_libc_version", "99", ""),
        ] {
            lacks(linked(abi, loader), symbol);
            for release in ["22.03", "23.05", "24.10", "25.12"] {
                let (status, code, text) = said(&format!("{machine}@{release}"));
                let is_there = (since..=until).contains(&release);
                assert_eq!(
                    (status, code.as_str()),
                    if is_there { (0, "") } else { (1, "symbol-missing") },
                    "{machine}@{release} {symbol}: {text}"
                );
            }
            // 1.1.24: nothing tells.
            assert_eq!(said(&format!("{machine}@21.02")).0, 2);
        }
    }
    lacks(linked("x86-64", "/lib/ld-musl-x86_64.so.1").needed("libz.so.1"), "deflate");
    let (status, code, text) = said("alpine:3.23/x86_64");
    assert_eq!((status, code.as_str()), (2, "libraries-not-followed"), "{text}");
    assert!(text.contains("libz.so.1") && text.contains("musl 1.2.5"), "{text}");
    // Debian has no musl for 32-bit PowerPC.
    lacks(linked("powerpc", "/lib/ld-musl-powerpc-sf.so.1"), "printf");
    assert_eq!(said("powerpc_8548").0, 2);
}

/// Sorted by name, so that two tables can be compared; names that releases before or after 1.2.3 have are among them.
#[test]
fn the_table_of_musl_is_in_order() {
    let rows = include_str!("../catalogue/musl.tsv").lines().skip(1);
    let names: Vec<_> = rows.map(|row| row.split('\t').next().unwrap()).collect();
    assert!(names.len() > 1700 && names.is_sorted());
    for name in ["_Fork", "__clock_gettime64", "printf", "statx", "zeroth"] {
        assert_eq!(names.contains(&name), name != "zeroth");
    }
}

/// What the board's flash has left beside the least system: less since 21.02.
#[test]
fn the_flash_of_a_board_has_room_beside_its_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise");
    let mut word = 1_u32;
    let noise = std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        word.to_le_bytes()
    });
    let program = [Elf::of("mipsel").build(), noise.take(13 << 18).flatten().collect()].concat();
    for (size, name, wanted) in [
        (11_500_000, "lenovo_newifi-y1", 0),
        (12_300_000, "lenovo_newifi-y1", 1),
        (12_300_000, "y1@19.07", 0),
        (12_900_000, "y1@19.07", 1),
    ] {
        std::fs::write(&path, &program[..size]).unwrap();
        let (status, text, _) = diag(&["--on", name, path.to_str().unwrap()]);
        assert_eq!(
            (status, text.contains("not-enough-space")),
            (wanted, wanted == 1),
            "{size} {name}: {text}"
        );
    }
}

#[test]
fn a_program_is_judged_for_a_name_and_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, abi: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, Elf::of(abi).build()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (big, little) = (write("big", "mips"), write("little", "mipsel"));
    let (status, text, _) = diag(&["--on", "y1", &big]);
    assert_eq!(
        (status, text.contains("wrong-byte-order"), text.contains("Lenovo Y1")),
        (1, true, true),
        "{text}"
    );
    assert_eq!(diag(&["-q", "--on", "y1", &little]).0, 0);
    assert_eq!(diag(&["-q", "--on", "mips_24kc", &big]).0, 0);
    assert_eq!(diag(&["-q", "--on", "nowhere", &big]).0, 2);
    assert_eq!(diag(&["-q", "--on", "lenovo_newifi-y1@19.07", &little]).0, 2);
    for (required, programs, status) in [
        ("mips_24kc", &[&big][..], 0),
        ("mips_24kc,y1", &[&big], 1),
        ("mips_24kc,y1", &[&big, &little], 0),
        ("nowhere", &[&big], 2),
    ] {
        let mut arguments = vec!["--on", "all", "--require", required];
        arguments.extend(programs.iter().map(|program| program.as_str()));
        assert_eq!(diag(&arguments).0, status, "{arguments:?}");
    }
    let (status, text, _) = diag(&["--on", "all", "--json", &big, &little]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let machines = report["machines"].as_array().unwrap();
    let of = |name: &str| machines.iter().find(|machine| machine["name"] == name).unwrap();
    assert_eq!(status, 0);
    assert_eq!(of("mips_24kc")["programs"][0]["verdict"], "starts");
    assert_eq!(of("mipsel_24kc")["programs"][0]["code"], "wrong-byte-order");
    assert!(of("mipsel_24kc")["devices"].as_u64().unwrap() > 600);
    for machine in machines {
        is_described(machine, &["machines"]);
        is_described(&machine["programs"][0], &["machines", "programs"]);
    }
    let (status, text, _) = diag(&["--on", "all", &big, &little]);
    assert!(status == 0 && text.lines().all(|line| line.len() <= 80 || line.starts_with('/')), "{text}");
}

#[test]
fn the_list_is_searched_by_words() {
    let (status, text, _) = diag(&["--on", "list", "LENOVO", "y1s"]);
    assert_eq!((status, text.lines().count()), (0, 2), "{text}");
    assert_eq!(diag(&["--on", "list", "nowhere at all"]), (2, String::new(), String::new()));
    assert_eq!(diag(&["--on", "list"]).1.lines().count(), 4178 + systems().count());
    let (_, text, _) = diag(&["--on", "list", "Bookworm", "armhf"]);
    assert!(text.starts_with("debian:12/armhf\tglibc 2.36, Linux 6.1\tdebian\tarmhf\t12\n"), "{text}");
    for wrong in [
        &["--on", "all"][..],
        &["--require", "y1", "/bin/true"],
        &["--on", "y1", "--require", "y1", "/bin/true"],
    ] {
        assert_eq!(diag(wrong).0, 2, "{wrong:?}");
    }
    assert!(catalogue::list("").count() > 4000);
}

/// glibc's loaders, and what a program of each architecture names.
#[test]
fn every_system_gives_a_machine() {
    let mut names = Vec::new();
    for system in systems() {
        let name = system.whole_name();
        let entry = find(&name).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(entry.name(), name);
        let recorded = entry.machine().unwrap();
        let machine = Machine::new(Target::new(&recorded));
        assert!(machine.e_machine().is_some() && machine.byte_order().is_some(), "{name}");
        assert!(machine.kernel().class.get().is_some(), "{name}");
        let libc = machine.libc().get().map(|libc| libc.name());
        assert_eq!(libc, Some(if name.starts_with("alpine") { "musl" } else { "glibc" }), "{name}");
        names.push(name);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), systems().count());
    // A system's name stands before all others.
    let is_word = |text: &str, name: &str| text.eq_ignore_ascii_case(name);
    for name in ["debian", "ubuntu", "alpine", "rhel", "amazon", "raspios", "al", "oracle", "centos", "rocky"]
    {
        assert!(find(name).unwrap_err().contains("machines: "), "{name}");
        assert!(!devices().any(|device| is_word(device.id, name)), "{name}");
        assert!(!architectures().any(|known| is_word(known.name, name)), "{name}");
    }
}

#[test]
fn a_system_is_found_by_each_of_its_names() {
    for name in [
        "debian:11/armhf",
        "Debian:bullseye/ARMHF",
        "debian 11 armhf",
        "debian:11.9/armhf",
        "debian/armhf:11",
    ] {
        assert_eq!(find(name).unwrap().name(), "debian:11/armhf", "{name}");
    }
    for (name, found) in [
        ("raspbian:12/armhf", "raspios:12/armhf"),
        ("almalinux:9/amd64", "rhel:9/x86_64"),
        ("ubuntu:22.04/x86_64", "ubuntu:22.04/amd64"),
        ("alpine:3.22/arm64", "alpine:3.22/aarch64"),
        ("alpine:3.22/armhf", "alpine:3.22/armhf"),
        ("amazonlinux:2023/aarch64", "amazon:2023/aarch64"),
    ] {
        assert_eq!(find(name).unwrap().name(), found, "{name}");
    }
    let wrong = |name: &str| find(name).unwrap_err();
    assert!(wrong("debian").starts_with("it stands for 21 machines: debian:11/amd64, arm64, armhf, i386; "));
    assert_eq!(wrong("debian:11"), "it stands for 4 machines: debian:11/amd64, arm64, armhf, i386");
    assert!(wrong("debian:10/amd64").starts_with("it has no 10: there are debian:11/amd64, arm64"));
    assert!(wrong("debian:11/riscv64").starts_with("it has no riscv64: there are debian:11/amd64, arm64"));
    assert!(wrong("debiam:11/armhf").contains("debian"));
    assert_eq!(diag(&["--on", "debian", "/bin/true"]).0, 2);
}

/// Of each row that has a value a source is named, and no source is of no row.
#[test]
fn every_cell_of_a_system_has_its_source() {
    let table = |text: &'static str| text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let mut rows = table(include_str!("../catalogue/systems.tsv"));
    let head = rows.next().unwrap();
    let sources: Vec<_> = table(include_str!("../catalogue/systems-sources.tsv")).skip(1).collect();
    let lists = |list: &str, word: &str| list.is_empty() || list.split(' ').any(|listed| listed == word);
    let says = |source: &Vec<&str>, row: &[&str], column: &str| {
        lists(source[0], row[0])
            && lists(source[1], row[1])
            && source[2].split(", ").any(|name| name == column)
    };
    for row in rows {
        assert_eq!(row.len(), head.len(), "{row:?}");
        for column in ["processor", "page bytes", "loader", "its release", "kernel"] {
            let value = row[head.iter().position(|name| *name == column).unwrap()];
            let has_source = sources.iter().any(|source| says(source, &row, column));
            // What every x86-64 and ARMv8 has needs none.
            let is_plain = column == "processor" && value == "armv8";
            assert!(value.is_empty() || has_source || is_plain, "{row:?}: {column}");
        }
    }
}

/// A program of glibc, as its linker makes it.
fn of_glibc(folder: &std::path::Path, name: &str, libraries: &[&str], version: &str) -> String {
    let mut elf = Elf::of("x86-64").interp("/lib64/ld-linux-x86-64.so.2").needs_version("libc.so.6", version);
    for library in libraries {
        elf = elf.needed(library);
    }
    let path = folder.join(name);
    std::fs::write(&path, elf.build()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The verdict and the decisive code, by a machine's name.
fn judged(on: &str, program: &str) -> (i32, String, String) {
    let (status, text, _) = diag(&["--json", "--on", on, program]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let code = report["programs"][0]["findings"][0]["code"].as_str().unwrap_or_default().to_owned();
    (status, code, text)
}

#[test]
fn a_release_of_glibc_tells_what_is_too_new() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name, libraries: &[&str], version| of_glibc(folder.path(), name, libraries, version);
    let new = of("new", &["libc.so.6"], "GLIBC_2.34");
    let other = of("other", &["libz.so.1", "libc.so.6"], "GLIBC_2.14");
    for (on, is_older) in [
        ("debian:11/amd64", true),
        ("debian:12/amd64", false),
        ("rhel:8/x86_64", true),
        ("rhel:9/x86_64", false),
    ] {
        let (status, code, text) = judged(on, &new);
        assert_eq!((status == 1, code == "version-missing"), (is_older, is_older), "{on}: {text}");
        let text = diag(&["--on", on, &new]).1;
        assert_eq!(text.contains("you see: version `GLIBC_2.34' not found"), is_older, "{text}");
    }
    let (status, code, text) = judged("debian:11/amd64", &other);
    assert_eq!((status, code.as_str()), (2, "libraries-not-followed"), "{text}");
    assert!(diag(&["--on", "debian:11/amd64", &other]).1.contains("DT_NEEDED libz.so.1\n"));
    // What is too new is so whatever else is there.
    let both = of("both", &["libz.so.1", "libc.so.6"], "GLIBC_2.34");
    assert_eq!(judged("debian:11/amd64", &both).1, "version-missing");
    // musl's loader is on no machine of glibc, and the other way round.
    assert_eq!(judged("alpine:3.22/x86_64", &new).1, "interpreter-missing");
    let musl = folder.path().join("musl");
    std::fs::write(&musl, Elf::of("x86-64").interp("/lib/ld-musl-x86_64.so.1").build()).unwrap();
    assert_eq!(judged("debian:12/amd64", musl.to_str().unwrap()).1, "interpreter-missing");
    // Its release is not known.
    assert_eq!(judged("ubuntu:26.04/amd64", &new).0, 2);
}

/// What the linker of this computer makes needs its C library alone.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn a_real_program_starts_where_its_glibc_is_old_enough() {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("hello.c"), folder.path().join("hello"));
    std::fs::write(&source, "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n").unwrap();
    assert!(Command::new("cc").arg(&source).arg("-o").arg(&program).status().unwrap().success());
    let program = program.to_str().unwrap();
    let (_, _, text) = judged("debian:13/amd64", program);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let needs = report["programs"][0]["file"]["needs"].as_str().unwrap().to_owned();
    let minor = |version: &str| version.rsplit('.').next().unwrap().parse::<u32>().unwrap();
    let mut count = 0;
    for system in systems().filter(|system| ["amd64", "x86_64"].contains(&system.architecture)) {
        let title = system.title();
        let Some(release) = title.strip_prefix("glibc ").and_then(|rest| rest.split(',').next()) else {
            continue;
        };
        if release.is_empty() {
            continue;
        }
        let is_older = minor(release) < minor(&needs);
        let (status, code, text) = judged(&system.whole_name(), program);
        assert_eq!(status, i32::from(is_older), "{title}: {text}");
        assert_eq!(code == "version-missing", is_older, "{title}: {text}");
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn the_matrix_is_limited_to_a_kind() {
    let folder = tempfile::tempdir().unwrap();
    let new = of_glibc(folder.path(), "new", &["libc.so.6"], "GLIBC_2.34");
    let (status, text, _) = diag(&["--on", "all:debian", "--json", &new]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let machines = report["machines"].as_array().unwrap();
    assert_eq!((status, machines.len()), (0, 21));
    assert!(machines.iter().all(|machine| machine["kind"] == "debian"));
    let verdict = |name: &str| {
        machines.iter().find(|machine| machine["name"] == name).unwrap()["programs"][0]["verdict"].clone()
    };
    // Of a file that no linker makes so no more is told.
    assert_eq!([verdict("debian:11/amd64"), verdict("debian:13/amd64")], ["fails", "unknown"]);
    let (_, text, _) = diag(&["--on", "all:raspbian", "--json", &new]);
    assert_eq!(text.matches("\"kind\"").count(), 6, "{text}");
    let (status, text, why) = diag(&["--on", "all:nix", &new]);
    assert_eq!((status, text.as_str()), (2, ""));
    assert!(why.contains("openwrt, debian, ubuntu, alpine, rhel, amazon, raspios"), "{why}");
    for (required, status) in
        [("debian:12/amd64", 2), ("debian:11/amd64", 1), ("debian:12/amd64,mips_24kc", 1)]
    {
        assert_eq!(diag(&["--on", "all:debian", "--require", required, &new]).0, status, "{required}");
    }
    assert_eq!(diag(&["--on", "all:debian", "--require", "debian", &new]).0, 2);
    let (status, text, _) = diag(&["--on", "all", &new]);
    assert!(
        status == 0 && text.contains("version-missing on debian:11/amd64, ubuntu:18.04/amd64,"),
        "{text}"
    );
}

/// It is known that the loader is not there, and nothing of what else is.
#[test]
fn what_is_not_known_of_loaders_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let program = of_glibc(folder.path(), "new", &["libc.so.6"], "GLIBC_2.34");
    let (_, text, _) = diag(&["--on", "x86/64", &program]);
    assert!(text.contains("which this machine does not") && !text.contains("not known"), "{text}");
}

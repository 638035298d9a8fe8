//! Machines by name: `--on NAME`, `--on all`, `--on list`.
#![cfg(feature = "catalogue")]

use std::process::Command;

use diag::catalogue::{self, architectures, devices, find};
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
    assert_eq!(diag(&["--on", "list"]).1.lines().count(), 4178);
    for wrong in [
        &["--on", "all"][..],
        &["--require", "y1", "/bin/true"],
        &["--on", "y1", "--require", "y1", "/bin/true"],
    ] {
        assert_eq!(diag(wrong).0, 2, "{wrong:?}");
    }
    assert!(catalogue::list("").count() > 4000);
}

use super::*;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_build_for_its_architectures() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("diag-mips");
    fs::write(&binary, noise(10_000)).unwrap();
    let out = folder.path().join("packages");
    fs::create_dir_all(out.join("mips_24kc")).unwrap();
    fs::write(out.join("mips_24kc/diag-0.0.9-r1.apk"), "an older one").unwrap();
    let written =
        write(&binary, &openwrt::named(&["mips_24kc", "mips_4kec", "riscv64_generic"]), &out).unwrap();
    assert_eq!(written.len(), 4);
    let version = about().unwrap().version;
    let (apk, ipk) = (format!("diag-{version}.apk"), |arch: &str| format!("diag_{version}_{arch}.ipk"));
    let both = ["Packages", "Packages.gz", &apk, &ipk("mips_24kc"), "packages.adb"];
    assert_eq!(names(&out.join("mips_24kc")), both);
    assert_eq!(names(&out.join("mips_4kec")), ["Packages", "Packages.gz", &ipk("mips_4kec")]);
    assert_eq!(names(&out.join("riscv64_generic")), [apk.as_str(), "packages.adb"]);
    let again = folder.path().join("again");
    write(&binary, &openwrt::named(&["mips_24kc"]), &again).unwrap();
    for name in both {
        let read = |out: &Path| fs::read(out.join("mips_24kc").join(name)).unwrap();
        assert!(read(&out) == read(&again), "{name}");
    }
    // apk knows no other form of a version, and OpenWrt uses it for both.
    assert!(version.ends_with("-r1") && version.starts_with(|c: char| c.is_ascii_digit()));
}

#[test]
fn the_size_is_that_of_the_largest_package() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("diag-mips");
    fs::write(&binary, noise(10_000)).unwrap();
    let archs = openwrt::named(&["mips_24kc", "mips_4kec"]);
    let size = largest(&binary, &archs).unwrap();
    let packages = write(&binary, &archs, &folder.path().join("packages")).unwrap();
    assert!(size > 10_000);
    assert!(packages.iter().any(|package| fs::metadata(package).unwrap().len() == size));
    assert!(packages.iter().all(|package| fs::metadata(package).unwrap().len() <= size));
}

#[test]
fn the_home_is_named_or_left_out() {
    let (home_page, repository) = ("https://example.org/diag", "https://example.org/diag.git");
    for (homepage, repository, expected) in [
        (Some(home_page), Some(repository), Some(home_page)),
        (None, Some(repository), Some(repository)),
        (Some("https://example.org/@OWNER@"), Some(repository), Some(repository)),
        (Some("https://example.org/@OWNER@"), None, None),
        (None, None, None),
    ] {
        let package = serde_json::json!({ "homepage": homepage, "repository": repository });
        assert_eq!(home(&package).as_deref(), expected);
    }
}

#[test]
fn the_list_names_all() {
    let list = list();
    assert_eq!(list.lines().count(), 55);
    assert!(list.contains("ipk,apk  diag-mipsel\n"), "{list}");
}

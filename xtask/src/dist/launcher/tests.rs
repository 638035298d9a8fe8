//! The one file, and each build where it does not belong, on routers. Each test boots QEMU.

use super::*;
use crate::dist::explain;
use crate::lab::{Kernel, Run, run};
use crate::samples::{self, Order, Size};

/// What a router says of both programs, of both builds, and of the one file without /proc, without sha256sum, and by
/// another name.
const COMMANDS: &str = "chmod 755 v2ray-*
    for file in v2ray-*; do ./diag -q $file; echo $?; done
    for build in diag-mips diag-mipsel; do ./$build --version; echo $?; done
    ls -l /tmp | grep -c '^drwx------ .* diag-0-'
    umount /proc; rm -r /tmp/diag-0-*; ./diag --version; echo $?
    rm -r /usr/bin/sha256sum /tmp/diag-0-*; ./diag --version; echo $?
    ./diag --unpack /usr/bin; rm -r /tmp/diag-0-*; diag --version; ls /tmp | grep -c diag-0-
    head -c 70000 diag >cut; chmod 755 cut; ./cut --version; echo $?";

#[test]
#[ignore = "boots QEMU"]
fn routers_of_both_byte_orders_take_their_build_and_explain_the_other() {
    take_their_build_and_explain_the_other([Kernel::Mips, Kernel::Mipsel]);
}

#[test]
#[ignore = "boots QEMU"]
fn so_do_those_on_linux_5_10() {
    take_their_build_and_explain_the_other(crate::lab::OLD);
}

/// Big-endian first.
fn take_their_build_and_explain_the_other(kernels: [Kernel; 2]) {
    let names = ["diag-mips", "diag-mipsel"];
    let built = crate::dist::build(&names).unwrap();
    let target = |name: &str| TARGETS.iter().find(|target| target.name == name).unwrap();
    let builds: Vec<_> =
        names.iter().zip(&built).map(|(name, path)| (target(name), fs::read(path).unwrap())).collect();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("diag");
    build::write(&file, &assemble(&builds).unwrap()).unwrap();
    let programs = [Order::Big, Order::Little].map(|order| samples::v2ray(order, Size::Stripped).unwrap());
    for (own, kernel) in kernels.into_iter().enumerate() {
        let mut job = Run::new(kernel, COMMANDS).file(&file).file(&built[0]).file(&built[1]);
        for (program, name) in programs.iter().zip(["v2ray-big", "v2ray-little"]) {
            job.files.push(crate::lab::Copy { from: program.clone(), to: format!("/tmp/{name}"), owner: 0 });
        }
        let ran = run(&job).unwrap();
        let said = String::from_utf8_lossy(&ran.output).into_owned();
        let orders = ["big", "little"];
        let order = orders[own];
        let judged = |name: &str| {
            let wrong = format!("error[wrong-byte-order]: v2ray-{name} is {name}-endian, this machine is");
            let starts = format!("v2ray-{name} starts on this machine");
            if name == order { [starts, "0".to_owned()] } else { [wrong, "1".to_owned()] }
        };
        let tried = |index: usize| {
            let foreign = [explain::sentence(builds[index].0), "126".to_owned()];
            if index == own { ["diag 0.1.0".to_owned(), "0".to_owned()] } else { foreign }
        };
        let size = builds[own].1.len();
        let unpacked = format!("/usr/bin/diag is the build for {order}-endian MIPS, {size} bytes");
        let rest = ["1", "diag 0.1.0", "0", "diag 0.1.0", "0", &unpacked, "diag 0.1.0", "0"];
        let damaged = ["diag: ./cut is damaged: copy it here again", "126"];
        let rest = rest.iter().chain(&damaged).map(|line| (*line).to_owned());
        let wanted = [judged("big"), judged("little"), tried(0), tried(1)].into_iter().flatten().chain(rest);
        // A finding's second line is indented.
        let lines = said.lines().filter(|line| !line.starts_with(' ')).collect::<Vec<_>>();
        let wanted = wanted.collect::<Vec<_>>();
        assert_eq!(lines.len(), wanted.len(), "{kernel:?}: {said}");
        for (line, wanted) in lines.iter().zip(&wanted) {
            assert!(line.starts_with(wanted.as_str()), "{kernel:?}: {line:?}, not {wanted:?}: {said}");
        }
    }
}

#[test]
fn offsets_and_checksums_are_those_of_the_file() {
    let builds: Vec<_> = TARGETS.iter().take(2).map(|target| (target, target.triple.into())).collect();
    let file = assemble(&builds).unwrap();
    let script = file.windows(4).position(|window| window == b"\n\x1f\x8b\x08").unwrap() + 1;
    let text = String::from_utf8(file[..script].to_vec()).unwrap();
    assert!(text.contains(&format!("head -c {script} ")), "{text}");
    assert!(text.contains(&sums(&file[script..]).sha256));
    for (target, elf) in &builds {
        let row =
            text.lines().position(|line| line.contains(&format!("label='{}'", target.machine))).unwrap();
        let words: Vec<&str> = text.lines().skip(row).take(2).flat_map(str::split_whitespace).collect();
        let set = words.iter().position(|word| *word == "set").unwrap() + 2;
        let [offset, packed] = [0, 1].map(|word| words[set + word].parse::<usize>().unwrap());
        let mut unpacked = Vec::new();
        let gzip = &file[script + offset..script + offset + packed];
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip), &mut unpacked).unwrap();
        assert_eq!(&unpacked, elf);
        assert!(words.contains(&&*sums(elf).sha256) && words.contains(&&*sums(elf).md5));
    }
}

#[test]
fn a_file_without_room_is_refused() {
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let limit = usize::try_from(gates::ONE_FILE.limit).unwrap();
    let error = assemble(&[(&TARGETS[0], noise.take(limit).collect())]).unwrap_err().to_string();
    assert!(error.contains("OVER BY"), "{error}");
}

//! The lab is a router: what design.md's part 8 and the seed say of one, seen in it. Each test boots QEMU, so
//! they run only when asked for: `cargo test -p xtask -- --ignored`.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Kernel, Ran, Run, TimedOut, musl, run};
use crate::samples;

const KERNELS: [Kernel; 3] = [Kernel::Mips, Kernel::Mipsel, Kernel::MipselFpu];

const HELLO: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 3; }\n";

/// A C program for a kernel's byte order, static, or dynamic against the lab's musl.
fn hello(dir: &Path, kernel: Kernel, dynamic: bool) -> PathBuf {
    if !dynamic {
        return samples::static_program("hello", HELLO, kernel.arch()).unwrap();
    }
    let source = dir.join("hello.c");
    fs::write(&source, HELLO).unwrap();
    let program = dir.join(format!("hello-{}-dynamic", kernel.arch()));
    musl::link(kernel, &[&source], &[], &program).unwrap();
    program
}

fn text(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.output).into_owned()
}

#[test]
#[ignore = "boots QEMU"]
fn each_kernel_starts_its_own_byte_order_and_ash_reads_the_other_as_a_script() {
    let dir = tempfile::tempdir().unwrap();
    for kernel in KERNELS {
        let other = if kernel == Kernel::Mips { Kernel::Mipsel } else { Kernel::Mips };
        let programs = [(kernel, false), (other, false), (kernel, true), (other, true)];
        let programs = programs.map(|(of, dynamic)| hello(dir.path(), of, dynamic));
        let start = |file: &PathBuf| format!("./{}; echo $?; ", file.file_name().unwrap().to_string_lossy());
        let boot = Run::new(kernel, programs.iter().map(start).collect::<String>());
        let said = text(&run(&programs.iter().fold(boot, Run::file)).unwrap());
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 8, "{kernel:?}: {said}");
        for lines in lines.chunks(4) {
            let [own, three, foreign, two] = lines else { panic!("{kernel:?}: {said}") };
            assert_eq!([*own, *three, *two], ["hello", "3", "2"], "{kernel:?}: {said}");
            assert!(foreign.ends_with("line 1: syntax error: unexpected \"(\""), "{kernel:?}: {said}");
        }
    }
}

#[test]
#[ignore = "boots QEMU"]
fn output_status_and_files_come_back_byte_for_byte() {
    for kernel in KERNELS {
        let commands = "printf 'a\\r\\n\\000\\377b'; printf 'c\\r\\n\\000\\377' >out/x; mkdir out/y; \
                        seq 1 50000 >out/y/z; sleep 1000 & exit 77";
        let ran = run(&Run::new(kernel, commands)).unwrap();
        assert_eq!((ran.status, &ran.output[..]), (77, &b"a\r\n\0\xffb"[..]), "{kernel:?}");
        assert_eq!(ran.pulled["x"], b"c\r\n\0\xff");
        let numbers = (1..=50_000).fold(String::new(), |all, number| all + &format!("{number}\n"));
        assert_eq!(ran.pulled["y/z"], numbers.as_bytes());
        assert_eq!(ran.pulled.len(), 2);
    }
}

#[test]
#[ignore = "boots QEMU"]
fn the_root_is_laid_out_like_openwrts() {
    is_laid_out_like_openwrts([Kernel::Mips, Kernel::Mipsel]);
}

#[test]
#[ignore = "boots QEMU"]
fn so_it_is_on_linux_5_10() {
    is_laid_out_like_openwrts(super::OLD);
}

fn is_laid_out_like_openwrts(kernels: [Kernel; 2]) {
    for kernel in kernels {
        let commands = "cat /proc/mounts; df -h /overlay | tail -n 1; . /etc/openwrt_release; \
                        echo $DISTRIB_ARCH $DISTRIB_TARGET; ls -l /lib; grep . /tmp/sysinfo/board_name";
        let said = text(&run(&Run::new(kernel, commands)).unwrap());
        for line in [
            "/dev/root /rom squashfs ro,relatime",
            "/dev/mtdblock0 /overlay jffs2 rw,noatime 0 0",
            "overlayfs:/overlay / overlay rw,noatime,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work",
            "tmpfs /tmp tmpfs rw,nosuid,nodev,noatime 0 0",
            "tmpfs /dev tmpfs rw,nosuid,noexec,relatime,size=512k,mode=755 0 0",
            "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0",
            "10.6M  12% /overlay",
            &format!("{} {}", kernel.openwrt_arch(), kernel.openwrt_target()),
            &format!("{} -> libc.so", kernel.loader()),
            "mti,malta",
        ] {
            assert!(said.contains(line), "{kernel:?}, {line}:\n{said}");
        }
    }
}

#[test]
#[ignore = "boots QEMU"]
fn twenty_megabytes_do_not_fit_on_the_overlay() {
    let commands = "dd if=/dev/urandom of=/tmp/big bs=1M count=20 2>/dev/null; cp big /root/; echo $?";
    let said = text(&run(&Run::new(Kernel::Mipsel, commands)).unwrap());
    assert_eq!(said, "cp: write error: No space left on device\n1\n");
}

#[test]
#[ignore = "boots QEMU"]
fn the_cpu_and_the_memory_are_as_asked_for() {
    for (cpu, line) in [("24Kf", "24Kc"), ("74Kf", "74Kc"), ("M14Kc", "M14Kc")] {
        let mut asked =
            Run::new(Kernel::Mipsel, "grep 'cpu model' /proc/cpuinfo; grep MemTotal /proc/meminfo");
        asked.cpu = cpu.to_owned();
        asked.memory = 128;
        let said = text(&run(&asked).unwrap());
        assert!(said.contains(line) && said.contains(" 12"), "{cpu}: {said}");
    }
}

#[test]
#[ignore = "boots QEMU"]
fn a_run_ends_in_time_and_a_dead_guest_is_told() {
    let mut endless = Run::new(Kernel::Mipsel, "while :; do :; done");
    endless.timeout = std::time::Duration::from_secs(8);
    assert!(run(&endless).err().unwrap().is::<TimedOut>());
    let dead = run(&Run::new(Kernel::Mipsel, "poweroff -f")).err().unwrap();
    assert!(dead.to_string().starts_with("the guest ended without a result"), "{dead}");
    let mut big = Run::new(Kernel::Mipsel, "true");
    big.memory = 24;
    assert!(run(&big).err().unwrap().to_string().contains("need --memory"));
}

//! The trials on a machine of this computer's kind, each with the commands and what they must end with.

/// What a stand-in for a build does: says how it was called, and ends with status 37.
pub(super) const STAND_IN: &str =
    "#!/bin/sh\n[ \"$1\" = --version ] && exit\nprintf '<%s>' \"$@\"\ncat\nexit 37\n";

/// What a trial must end with: the status, all of stdout, and a part of stderr (all of it, where it is empty).
pub(super) type Wanted = (i32, &'static str, &'static str);

/// On a machine of this computer's kind: /work/diag has a stand-in behind it.
pub(super) const TRIALS: &[(&str, &str, &str, Wanted)] = &[
    (
        "arguments, stdin and status",
        "",
        "echo in | /work/diag 'a b' '' \"c'd\" -x",
        (37, "<a b><><c'd><-x>in\n", ""),
    ),
    (
        "the second start",
        "",
        "/work/diag x >/dev/null; /work/diag x; echo $? $(ls /tmp | wc -l)",
        (0, "<x>37 1\n", ""),
    ),
    (
        "by PATH, by sh, by a link, in another folder",
        "",
        "cp /work/diag '/keep/the diag'; ln -s '/keep/the diag' /bin/diag; diag 1; cd /work; ./diag 2; sh diag 3; '/keep/the diag' 4",
        (37, "<1><2><3><4>", ""),
    ),
    (
        "mode and owner",
        "",
        "umask 0; /work/diag >/dev/null; set -- $(ls -ldn /tmp/diag*); echo $1 $3",
        (0, "-rwx------ 0\n", ""),
    ),
    (
        "no /proc",
        "",
        "umount /proc/sys/fs/binfmt_misc 2>/dev/null; umount /proc; /work/diag x",
        (37, "<x>", ""),
    ),
    (
        "a full /tmp",
        "size=64k",
        "/work/diag x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: cannot write 150000 bytes to /tmp: No space left on device; --unpack DIR"),
    ),
    (
        "a /tmp without inodes",
        "nr_inodes=1",
        "/work/diag x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: cannot write to /tmp: No space left on device"),
    ),
    (
        "a read-only /tmp",
        "ro",
        "/work/diag x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: cannot write to /tmp: Read-only file system"),
    ),
    (
        "a /tmp without exec",
        "noexec",
        "/work/diag x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: cannot run a program in /tmp: Permission denied; --unpack DIR"),
    ),
    (
        "no /tmp",
        "",
        "umount /tmp; rm -r /tmp; /work/diag x",
        (126, "", "diag: cannot write to /tmp: No such file or directory"),
    ),
    (
        "little memory",
        "",
        "echo 'MemAvailable: 900 kB' >/keep/m; mount -o bind /keep/m /proc/meminfo; /work/diag x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: 900 kB of memory are free, too few to unpack 150000 bytes"),
    ),
    (
        "an old kernel's meminfo",
        "",
        "echo 'MemFree: 900 kB' >/keep/m; mount -o bind /keep/m /proc/meminfo; /work/diag x",
        (37, "<x>", ""),
    ),
    (
        "a planted link",
        "",
        "echo good >/keep/v; ln -s /keep/v NAME; /work/diag x; cat /keep/v; ls -l /tmp | wc -l",
        (0, "<x>good\n2\n", ""),
    ),
    ("a planted dangling link", "", "ln -s /keep/v NAME; /work/diag x; ls -A /keep", (0, "<x>", "")),
    (
        "a planted link to a folder",
        "",
        "mkdir /keep/v; ln -s /keep/v NAME; /work/diag x; ls -A /keep/v",
        (0, "<x>", ""),
    ),
    (
        "a planted folder",
        "",
        "mkdir NAME; chown 65534 NAME; /work/diag x; ls -A NAME; ls -A /tmp | wc -l",
        (0, "<x>1\n", ""),
    ),
    (
        "a planted program",
        "",
        "echo 'echo evil' >NAME; chmod 777 NAME; chown 65534 NAME; /work/diag x; ls -ln /tmp | grep -c '^-rwx------ .* 0 '",
        (0, "<x>1\n", ""),
    ),
    (
        "the build, but another user's",
        "",
        "/work/diag >/dev/null; chmod 777 NAME; chown 65534 NAME; /work/diag x; ls -ln /tmp | grep -c '^-rwx------ .* 0 '",
        (0, "<x>1\n", ""),
    ),
    (
        "what was unpacked is damaged",
        "",
        "/work/diag >/dev/null; echo 'echo evil' >NAME; /work/diag x; /work/diag y; ls -A /tmp | wc -l",
        (0, "<x><y>1\n", ""),
    ),
    (
        "another user",
        "",
        "mkdir /etc; echo nobody:*:65534:65534::/:/bin/sh >/etc/passwd; /work/diag 1; busybox su nobody -c '/work/diag 2'; ls -A /tmp | wc -l",
        (0, "<1><2>2\n", ""),
    ),
    (
        "what a killed one left",
        "",
        "touch NAME.99999.abcdef NAME.1.abcdef; /work/diag x; cd /tmp; ls | sed 's/-[0-9a-f]*/-N/2'",
        (0, "<x>diag-0-N\ndiag-0-N.1.abcdef\n", ""),
    ),
    (
        "a signal",
        "",
        "for t in 0.00 0.01 0.02 0.03 0.04 0.06; do /work/diag x >/dev/null & sleep $t; kill $! 2>/dev/null; wait; [ -e NAME ] && rm NAME; ls -A /tmp; done",
        (0, "", ""),
    ),
    (
        "killed halfway",
        "",
        "for t in 0.00 0.01 0.015 0.02 0.025 0.03 0.04 0.05; do /work/diag x >/dev/null & sleep $t; kill -9 $! 2>/dev/null; wait; \
      [ ! -e NAME ] || /bin/sh NAME ok; echo; done 2>/dev/null | grep -vc '^$\\|<ok>'; sleep 0.3; /work/diag x; ls -A /tmp | wc -l",
        (0, "0\n<x>1\n", ""),
    ),
    (
        "four at once",
        "",
        "for n in 1 2 3 4; do { said=$(/work/diag $n); echo $said$?; } & done | sort; wait; ls -A /tmp | wc -l",
        (0, "<1>37\n<2>37\n<3>37\n<4>37\n1\n", ""),
    ),
    (
        "--unpack",
        "",
        "/work/diag --unpack /keep; /keep/diag x; echo; set -- $(ls -ldn /keep/diag); echo $1; ls -A /keep /tmp",
        (
            0,
            "/keep/diag is the build for 64-bit x86, 150000 bytes\n<x>\n-rwxr-xr-x\n/keep:\ndiag\n\n/tmp:\n",
            "",
        ),
    ),
    (
        "--unpack over another, beside others",
        "",
        "cd /keep; ln -s diag.9999999.abcdef diag; touch diag.9999999.abcdef; /work/diag --unpack . >/dev/null; ls",
        (0, "diag\ndiag.9999999.abcdef\n", ""),
    ),
    (
        "--unpack over itself",
        "",
        "cp /work/diag /keep; /keep/diag --unpack /keep",
        (126, "", "diag: /keep/diag is this file itself: name another folder"),
    ),
    (
        "--unpack into a full folder",
        "size=64k",
        "/work/diag --unpack /tmp; echo $?; ls -A /tmp",
        (0, "126\n", "diag: cannot write 150000 bytes to /tmp: No space left on device"),
    ),
    ("--unpack into no folder", "", "/work/diag --unpack /bin/sh", (126, "", "diag: /bin/sh is no folder")),
    ("--unpack without a folder", "", "/work/diag --unpack", (126, "", "diag: --unpack takes one folder")),
    (
        "--unpack onto a folder",
        "",
        "mkdir /keep/diag; /work/diag --unpack /keep",
        (126, "", "diag: /keep/diag is a folder"),
    ),
    (
        "another machine",
        "",
        "/work/foreign --version",
        (
            126,
            "",
            "diag: none of its builds is for this machine: x86-64, 64 bits, little-endian (of /proc/self/exe: EI_CLASS 2, EI_DATA 1, e_machine 62; uname -m: x86_64)",
        ),
    ),
    (
        "a build that does not run",
        "",
        "/work/broken x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: its build for 64-bit x86 does not run here (status 132): x86-64, 64 bits"),
    ),
    (
        "a build that the kernel refuses",
        "",
        "/work/refused x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: the kernel refuses its build for 64-bit x86: x86-64, 64 bits"),
    ),
];

/// With dash for ash, which asks for applets by their names: then one can be missing.
pub(super) const DASH: &[(&str, &str, &str, Wanted)] = &[
    ("dash", "", "/work/diag 'a b'; echo $?", (0, "<a b>37\n", "")),
    ("dash, no /proc", "", "umount /proc; /work/diag x", (37, "<x>", "")),
    ("md5sum alone", "", "rm /bin/sha256sum; /work/diag x; /work/diag y", (37, "<x><y>", "")),
    (
        "neither sum",
        "",
        "rm /bin/sha256sum /bin/md5sum; /work/diag x",
        (126, "", "diag: neither sha256sum nor md5sum is here"),
    ),
    (
        "md5sum alone, damaged",
        "",
        "rm /bin/sha256sum; head -c 100000 /work/diag >/keep/d; chmod 755 /keep/d; /keep/d x",
        (126, "", "diag: /keep/d is damaged: copy it here again"),
    ),
];

//! The trials on a machine of this computer's kind, each with the commands and what they must end with.

/// What a stand-in for a build does: says how it was called, and ends with status 37.
pub(super) const STAND_IN: &str =
    "#!/bin/sh\n[ \"$1\" = --version ] && exit\nprintf '<%s>' \"$@\"\ncat\nexit 37\n";

/// Another, that says where it runs.
pub(super) const WHERE: &str = "#!/bin/sh\n[ \"$1\" = --version ] || echo $(pwd) $(cat f) $(umask)\n";

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
        "without the x bit",
        "",
        "cp /work/diag /tmp; chmod 644 /tmp/diag; sh /tmp/diag 1; cd /tmp; sh diag 2",
        (37, "<1><2>", ""),
    ),
    (
        "a name like an option's",
        "",
        "cp /work/diag /keep/-n; PATH=/keep:$PATH; -n 1; cd /keep; sh -- -n 2",
        (37, "<1><2>", ""),
    ),
    (
        "the caller's folder",
        "",
        "cd /keep; echo here >f; /work/where; umask 0; /work/where; rm -r /tmp/*; chmod 777 /tmp; /work/where",
        (0, "/keep here 0022\n/keep here 0000\n/keep here 0000\n", ""),
    ),
    ("closed streams", "", "/work/diag x <&- 2>&-; rm -r NAME; /work/diag y <&- 2>&-", (37, "<x><y>", "")),
    (
        "mode and owner",
        "",
        "umask 0; /work/diag >/dev/null; for f in NAME NAME/diag; do set -- $(ls -ldn $f); echo $1 $3; done",
        (0, "drwx------ 0\n-rwx------ 0\n", ""),
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
        "what was unpacked is damaged",
        "",
        "/work/diag >/dev/null; echo 'echo evil' >NAME/diag; /work/diag x; chmod 600 NAME/diag; /work/diag y; ls NAME",
        (0, "<x><y>diag\n", ""),
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
        "umask 077; mkdir NAME; cd NAME; touch diag.99999.abcdef diag.1.abcdef; /work/diag x; ls",
        (0, "<x>diag\ndiag.1.abcdef\n", ""),
    ),
    (
        "a signal",
        "",
        "for t in 0.00 0.01 0.02 0.03 0.04 0.06; do /work/diag x >/dev/null & sleep $t; kill $! 2>/dev/null; wait; [ -e NAME/diag ] && rm -r NAME; ls -A /tmp; done",
        (0, "", ""),
    ),
    (
        "killed halfway",
        "",
        "for t in 0.00 0.01 0.015 0.02 0.025 0.03 0.04 0.05; do /work/diag x >/dev/null & sleep $t; kill -9 $! 2>/dev/null; wait; \
      [ ! -e NAME/diag ] || /bin/sh NAME/diag ok; echo; done 2>/dev/null | grep -vc '^$\\|<ok>'; sleep 0.3; /work/diag x; ls -AR /tmp | wc -l",
        (0, "0\n<x>5\n", ""),
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

/// What somebody may have put into /tmp before: tried in a /tmp with the sticky bit, and in one without.
pub(super) const PLANTED: &[(&str, &str, Wanted)] = &[
    ("nothing", "/work/diag x; /work/diag y; cd /tmp; ls -A . *", (0, "<x><y>.:\nBASE\n\nBASE:\ndiag\n", "")),
    (
        "a link",
        "echo good >/keep/v; ln -s /keep/v NAME; /work/diag x; cat /keep/v; ls -l /tmp | wc -l",
        (0, "<x>good\n2\n", ""),
    ),
    ("a dangling link", "ln -s /keep/v NAME; /work/diag x; ls -A /keep", (0, "<x>", "")),
    (
        "a link to a folder of the caller's",
        "mkdir -m 700 /keep/v; ln -s /keep/v NAME; /work/diag x; ls -A /keep/v; ls -A /tmp | wc -l",
        (0, "<x>1\n", ""),
    ),
    (
        "another's folder",
        "mkdir -m 700 NAME; chown 65534 NAME; /work/diag x; ls -A NAME; ls -A /tmp | wc -l",
        (0, "<x>1\n", ""),
    ),
    (
        "the build, but another's",
        "/work/diag >/dev/null; chown 65534 NAME; echo 'echo evil' >NAME/diag; /work/diag x; ls -A /tmp | wc -l",
        (0, "<x>1\n", ""),
    ),
    (
        "a folder that others may write to",
        "mkdir -m 770 NAME; echo 'echo evil' >NAME/diag; /work/diag x; cat NAME/diag; ls -A /tmp | wc -l",
        (0, "<x>echo evil\n1\n", ""),
    ),
    (
        "a folder that others may read",
        "mkdir -m 755 NAME; /work/diag x; cd /tmp; ls -A . NAME",
        (0, "<x>.:\nBASE\n\nNAME:\ndiag\n", ""),
    ),
    (
        "a program",
        "echo 'echo evil' >NAME; chmod 777 NAME; chown 65534 NAME; /work/diag x; ls -A /tmp | wc -l",
        (0, "<x>1\n", ""),
    ),
    ("a FIFO", "mkfifo NAME; /work/diag x; ls -A /tmp | wc -l", (0, "<x>1\n", "")),
    (
        "what killed ones left",
        "mkdir -m 700 NAME NAME.99999.abcdef NAME.1.abcdef; chown 65534 NAME; touch NAME.99999.abcdef/diag; /work/diag x; cd /tmp; ls",
        (0, "<x>BASE\nBASE.1.abcdef\n", ""),
    ),
    (
        "what looks left: a link, and another's folder",
        "mkdir -m 700 NAME NAME.99998.abcdef /keep/v; chown 65534 NAME*; touch NAME.99998.abcdef/diag /keep/v/diag; \
         ln -s /keep/v NAME.99999.abcdef; /work/diag x; cd /tmp; ls; ls BASE.99998.abcdef /keep/v",
        (
            0,
            "<x>BASE\nBASE.99998.abcdef\nBASE.99999.abcdef\n/keep/v:\ndiag\n\nBASE.99998.abcdef:\ndiag\n",
            "",
        ),
    ),
    (
        "--unpack over a link to a folder's file",
        "echo good >/keep/v; ln -s /keep/v /tmp/diag; /work/diag --unpack /tmp; cat /keep/v; set -- $(ls -ldn /tmp/diag); echo $1; ls -A /tmp",
        (0, "/tmp/diag is the build for 64-bit x86, 150000 bytes\ngood\n-rwxr-xr-x\ndiag\n", ""),
    ),
];

/// A /tmp in which everybody may rename what is others', and the folder's path no longer leads to what was checked.
pub(super) const UNSTABLE: &[(&str, &str, &str, Wanted)] = &[
    (
        "no sticky bit, no /proc",
        "mode=0777",
        "umount /proc; /work/diag x; echo $?; ls -A /tmp",
        (
            0,
            "126\n",
            "diag: others can replace what is unpacked to /tmp: it needs the sticky bit (chmod +t /tmp); --unpack DIR",
        ),
    ),
    (
        "no sticky bit, a folder for /proc",
        "mode=0777",
        "umount /proc; mkdir -p /proc/self/fd; ln -s NAME /proc/self/fd/9; \
         /work/diag x; echo $?; ls -A /tmp",
        (0, "126\n", "diag: others can replace what is unpacked to /tmp"),
    ),
    (
        "no sticky bit, no /proc, --unpack",
        "mode=0777",
        "umount /proc; /work/diag --unpack /tmp; echo $?; ls -A /tmp; /work/diag --unpack /keep",
        (
            0,
            "126\n/keep/diag is the build for 64-bit x86, 150000 bytes\n",
            "diag: others can replace what is unpacked to /tmp: it needs the sticky bit (chmod +t /tmp)\n",
        ),
    ),
    ("nobody else may write, no /proc", "mode=0755", "umount /proc; /work/diag x", (37, "<x>", "")),
    (
        "another's /tmp",
        "mode=1777",
        "chown 65534 /tmp; /work/diag x; umount /proc; /work/diag y",
        (126, "<x>", "diag: others can replace what is unpacked to /tmp"),
    ),
    (
        "/tmp is a link",
        "mode=0777",
        "umount /tmp; rmdir /tmp; mkdir /keep/t; chmod 777 /keep/t; ln -s keep/t /tmp; /work/diag x; /work/diag y; ls -A /tmp/. | wc -l",
        (0, "<x><y>1\n", ""),
    ),
    (
        "without the sticky bit, as another user",
        "mode=0777",
        "mkdir /etc; echo nobody:*:65534:65534::/:/bin/sh >/etc/passwd; /work/diag 1; busybox su nobody -c '/work/diag 2; /work/diag 3'; ls -A /tmp | wc -l",
        (0, "<1><2><3>2\n", ""),
    ),
];

/// In each shell: as it is called, and read by a shell that does not have its path.
pub(super) const SHELLS: &[(&str, &str, &str, Wanted)] = &[
    (
        "arguments, twice",
        "",
        "echo in | /work/diag 'a b' ''; /work/diag x; /work/diag --unpack /keep",
        (0, "<a b><>in\n<x>/keep/diag is the build for 64-bit x86, 150000 bytes\n", ""),
    ),
    (
        "no sticky bit",
        "mode=0777",
        "echo in | /work/diag 'a b' ''; /work/diag x; chown 65534 NAME; /work/diag y; ls -A /tmp",
        (0, "<a b><>in\n<x><y>BASE\n", ""),
    ),
    ("no /proc", "", "umount /proc; /work/diag x", (37, "<x>", "")),
    (
        "another machine",
        "",
        "/work/foreign 2>&1 | sed 's/ (of .*//'",
        (0, "diag: none of its builds is for this machine: x86-64, 64 bits, little-endian\n", ""),
    ),
    (
        "damaged",
        "",
        "head -c 100000 /work/diag >/keep/d; sh /keep/d",
        (126, "", "diag: /keep/d is damaged: copy it here again\n"),
    ),
    ("-c", "", "sh -c \"$(head -c 100000 /work/diag)\"", (126, "", START)),
    ("-c, with a name", "", "sh -c \"$(head -c 100000 /work/diag)\" /bin/busybox", (126, "", START)),
    ("eval", "", "(eval \"$(cat /work/diag)\"); echo $?", (0, "126\n", START)),
    ("from a file", "", "sh </work/diag", (126, "", START)),
    ("from a pipe", "", "cat /work/diag | sh -s x", (126, "", START)),
];

/// Sourced: the shell goes on. bash sources no file with more than 256 NULs, and says so itself.
pub(super) const SOURCED: &[(&str, &str, &str, Wanted)] = &[
    ("sourced", "", ". /work/diag; echo on $?", (0, "on 126\n", START)),
    (
        "sourced by a script",
        "",
        "echo '. /work/diag x; echo on $?' >/keep/s; sh /keep/s",
        (0, "on 126\n", START),
    ),
    (
        "sourced by a shell that asks",
        "",
        "printf '. /work/diag\\necho on $?\\n' >/keep/s; sh -i </keep/s 2>&1 | sed -n 's/.*diag: start this.*/START/p; s/.*on 126/on/p'",
        (0, "START\non\n", ""),
    ),
];

/// And bash's own words.
pub(super) const SOURCED_BY_BASH: &[(&str, &str, &str, Wanted)] = &[(
    "sourced",
    "",
    ". /work/diag; echo on $?",
    (0, "on 126\n", ".: /work/diag: cannot execute binary file\n"),
)];

const START: &str = "diag: start this file by its path (./diag or sh ./diag): it can be neither sourced nor read from a pipe\n";

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

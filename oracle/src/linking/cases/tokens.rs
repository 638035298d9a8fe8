//! $ORIGIN, $LIB and $PLATFORM.

use super::paths::{GONE, GONE_MUSL, NEW, chain, token};
use super::{Anything, Case, Says, Starts, case};

pub(super) const CASES: &[Case] = &[
    case("ORIGIN", |kit| token(kit, "d", "$ORIGIN/d"), Starts, Starts),
    case("ORIGIN in braces", |kit| token(kit, "d", "${ORIGIN}/d"), Starts, Starts),
    case("ORIGIN twice", |kit| token(kit, "d", "$ORIGIN/none:$ORIGIN/d"), Starts, Starts),
    case("ORIGIN in the middle", |kit| token(kit, "d", "/$ORIGIN/d"), Anything, Anything),
    case("ORIGIN and a letter", |kit| token(kit, "d", "$ORIGINX/d"), Says("libfoo.so"), Says("libfoo.so")),
    case("ORIGIN in open braces", |kit| token(kit, "d", "${ORIGIN/d"), Says("libfoo.so"), Says("libfoo.so")),
    case("ORIGIN and an underscore", |kit| token(kit, "d", "$ORIGIN_d"), Anything, Anything),
    case("ORIGIN and a hyphen", |kit| token(kit, "d", "$ORIGIN-d:$ORIGIN/d"), Starts, Starts),
    case("ORIGIN alone", |kit| token(kit, ".", "$ORIGIN"), Starts, Starts),
    case("ORIGIN with a dot", |kit| token(kit, "d", "$ORIGIN/./e/../d"), Anything, Anything),
    case(
        "LIB",
        |kit| {
            token(kit, "lib/x86_64-linux-gnu", "$ORIGIN/$LIB")?;
            kit.copy("lib/x86_64-linux-gnu/libfoo.so", "lib/libfoo.so")
        },
        Starts,
        Says("libfoo.so"),
    ),
    case(
        "LIB in braces",
        |kit| {
            token(kit, "lib/x86_64-linux-gnu", "$ORIGIN/${LIB}")?;
            kit.copy("lib/x86_64-linux-gnu/libfoo.so", "lib64/libfoo.so")
        },
        Starts,
        Says("libfoo.so"),
    ),
    case(
        "PLATFORM",
        |kit| {
            token(kit, "x86_64", "$ORIGIN/$PLATFORM")?;
            kit.copy("x86_64/libfoo.so", "haswell/libfoo.so")?;
            kit.copy("x86_64/libfoo.so", "xeon_phi/libfoo.so")
        },
        Starts,
        Says("libfoo.so"),
    ),
    case(
        "PLATFORM and LIB in one",
        |kit| {
            token(kit, "lib/x86_64-linux-gnu/x86_64", "$ORIGIN/$LIB/${PLATFORM}")?;
            kit.copy("lib/x86_64-linux-gnu/x86_64/libfoo.so", "lib/x86_64-linux-gnu/haswell/libfoo.so")
        },
        Starts,
        Says("libfoo.so"),
    ),
    case("an unknown token", |kit| token(kit, "d", "$HOME/d:$ORIGIN/d"), Anything, Anything),
    case("a dollar at the end", |kit| token(kit, "d", "$ORIGIN/d:$"), Anything, Anything),
    case(
        "ORIGIN of a program behind a link",
        |kit| {
            token(kit, "d", "$ORIGIN/d")?;
            kit.rename("x", "s/x")?;
            kit.rename("d", "s/d")?;
            kit.link("s/x", "x")
        },
        Starts,
        Starts,
    ),
    case(
        "ORIGIN of a library behind a link",
        |kit| {
            chain(kit, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/e", &[NEW, "-Wl,-rpath,$ORIGIN"])?;
            kit.link("../d/libfoo.so", "e/libfoo.so")
        },
        Says(GONE),
        Says(GONE_MUSL),
    ),
    case(
        "ORIGIN of a library found relative",
        |kit| chain(kit, "-Wl,--enable-new-dtags,-rpath,d", &[NEW, "-Wl,-rpath,$ORIGIN"]),
        Starts,
        Starts,
    ),
    case(
        "ORIGIN of a library found through dots",
        |kit| chain(kit, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/d/../d", &[NEW, "-Wl,-rpath,$ORIGIN"]),
        Starts,
        Starts,
    ),
    case(
        "inherited RPATH keeps its own ORIGIN",
        |kit| {
            chain(kit, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/d:$ORIGIN/e", &[])?;
            kit.rename("d/libbar.so", "e/libbar.so")
        },
        Starts,
        Starts,
    ),
];

//! Programs that Debian's Go builds: hello, and the seed's v2ray in its three sizes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Order, make};
use crate::{debian, host, sh};

const HELLO: &str = include_str!("hello.go");

/// Where Debian puts the sources of Go packages, and what must be there for v2ray.
const GOPATH: &str = "/usr/share/gocode";
const V2RAY_SOURCES: [host::Need; 3] = [
    ("/usr/share/gocode/src/v2ray.com/core/main", "golang-v2ray-core-dev"),
    ("/usr/share/gocode/src/go.starlark.net", "golang-starlark-dev"),
    ("/usr/share/gocode/src/github.com/seiflotfy/cuckoofilter", "golang-github-seiflotfy-cuckoofilter-dev"),
];

/// GOMIPS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Float {
    Soft,
    Hard,
}

impl Float {
    fn gomips(self) -> &'static str {
        match self {
            Self::Soft => "softfloat",
            Self::Hard => "hardfloat",
        }
    }
}

/// The sizes of v2ray that the seed tells of: 23.4, 16.5 and 5.2 MB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    Unstripped,
    Stripped,
    Packed,
}

/// What `hello` prints, and from which source.
pub(crate) fn hello_source() -> &'static str {
    HELLO
}

/// A Go program that prints "hello from go".
pub(crate) fn hello(order: Order, float: Float) -> Result<PathBuf> {
    let (goarch, gomips) = (order.goarch(), float.gomips());
    let recipe = format!("GOARCH={goarch} GOMIPS={gomips} go build\n{HELLO}");
    make(&format!("go-{goarch}-{gomips}"), &recipe, |to| {
        let folder = to.parent().context("a folder")?.join("hello.go");
        fs::write(&folder, HELLO)?;
        build(order, float, "", &folder.to_string_lossy(), to)
    })
}

/// v2ray 4.34, soft-float, from Debian's source packages; some from `DIAG_CACHE` where it has them.
pub(crate) fn v2ray(order: Order, size: Size) -> Result<PathBuf> {
    let goarch = order.goarch();
    match size {
        Size::Unstripped => compiled(&format!("v2ray-{goarch}"), order, ""),
        Size::Stripped => match cached(order, "xz") {
            Some(archive) => make(&format!("v2ray-{goarch}-stripped"), "from DIAG_CACHE, executable", |to| {
                unxz(&archive, to)
            }),
            None => compiled(&format!("v2ray-{goarch}-stripped"), order, "-s -w"),
        },
        Size::Packed => match cached(order, "upx") {
            Some(file) => Ok(file),
            None => make(&format!("v2ray-{goarch}-packed"), "upx -9", |to| {
                pack(&v2ray(order, Size::Stripped)?, to)
            }),
        },
    }
}

fn cached(order: Order, end: &str) -> Option<PathBuf> {
    sh::cached(&format!("v2ray-4.34-{}-softfloat.{end}", order.arch()))
}

fn compiled(name: &str, order: Order, ldflags: &str) -> Result<PathBuf> {
    let goarch = order.goarch();
    let recipe =
        format!("GOARCH={goarch} GOMIPS=softfloat go build -ldflags='{ldflags}' v2ray.com/core/main");
    make(name, &recipe, |to| {
        host::ensure(&V2RAY_SOURCES)?;
        build(order, Float::Soft, ldflags, "v2ray.com/core/main", to)
    })
}

/// Go with nothing of this computer's settings, and its cache under target.
pub(crate) fn go() -> Result<Command> {
    host::ensure(&[("go", "golang-go")])?;
    let mut go = Command::new("go");
    for variable in ["GOFLAGS", "GOROOT", "GOARCH", "GOMIPS", "GOTOOLCHAIN"] {
        go.env_remove(variable);
    }
    go.envs([("GOPATH", GOPATH), ("GO111MODULE", "off"), ("CGO_ENABLED", "0"), ("GOOS", "linux")]);
    go.env("GOENV", "off").env("GOCACHE", sh::target("samples/go-cache")?);
    Ok(go)
}

fn build(order: Order, float: Float, ldflags: &str, what: &str, to: &Path) -> Result<()> {
    let mut go = go()?;
    go.env("GOARCH", order.goarch()).env("GOMIPS", float.gomips());
    sh::run(go.args(["build", "-trimpath"]).arg(format!("-ldflags={ldflags}")).arg("-o").arg(to).arg(what))
}

fn unxz(archive: &Path, to: &Path) -> Result<()> {
    host::ensure(&[("xz", "xz-utils")])?;
    let into = fs::File::create(to)?;
    let status = Command::new("xz").args(["-dc"]).arg(archive).stdout(into).status().context("start xz")?;
    ensure!(status.success(), "xz -dc {}: {status}", archive.display());
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// upx from Debian's backports, unpacked but not installed.
fn pack(from: &Path, to: &Path) -> Result<()> {
    let native = sh::output(Command::new("dpkg").arg("--print-architecture"))?;
    let upx = debian::fetch(native.trim(), &["upx-ucl"])?.join("usr/bin/upx-ucl");
    sh::run(Command::new(upx).args(["-9", "-qqq", "-o"]).arg(to).arg(from))
}

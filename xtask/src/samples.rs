//! The files that the lab judges: real programs and broken ones. What has to be built is built once, under
//! target/samples, and again only where its recipe changes.

mod bytes;
mod c;
mod change;
mod go;
mod linked;
mod table;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use testkit::Image;

use crate::lab::Kernel;
use crate::scratch::Scratch;
use crate::sh;
pub(crate) use c::{Link, static_program};
pub(crate) use go::{Float, Size, go, hello as go_hello, hello_source, v2ray};
pub(crate) use linked::{ELSEWHERE, Libc, place_root};
pub(crate) use table::{Expect, Row, Where};

/// A byte order, and with it the names of its builds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Big,
    Little,
}

impl Order {
    pub(crate) fn of(kernel: Kernel) -> Self {
        if kernel.arch() == "mips" { Self::Big } else { Self::Little }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Big => Self::Little,
            Self::Little => Self::Big,
        }
    }

    /// Debian's, GNU's and zig's word.
    pub(crate) fn arch(self) -> &'static str {
        match self {
            Self::Big => "mips",
            Self::Little => "mipsel",
        }
    }

    pub(crate) fn goarch(self) -> &'static str {
        match self {
            Self::Big => "mips",
            Self::Little => "mipsle",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Big => "big-endian",
            Self::Little => "little-endian",
        }
    }

    /// A kernel of the lab with this byte order.
    fn kernel(self) -> Kernel {
        match self {
            Self::Big => Kernel::Mips,
            Self::Little => Kernel::Mipsel,
        }
    }
}

/// Whose byte order a sample has: the kernel's, or the other one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Native,
    Foreign,
}

impl Side {
    fn order(self, native: Order) -> Order {
        match self {
            Self::Native => native,
            Self::Foreign => native.other(),
        }
    }
}

/// How a sample comes to be.
pub(crate) enum Make {
    Go(Side, Float),
    V2ray(Side, Size),
    C(Side, Link),
    /// The static C program with something changed.
    Mutant(fn(&mut Image) -> Option<()>),
    /// The dynamic C program with something changed.
    DynamicMutant(fn(&mut Image) -> Option<()>),
    /// The beginning of the native soft-float Go program.
    Cut(Cut),
    /// Bytes that are written here.
    Bytes(fn() -> Vec<u8>),
    Text(&'static str),
    Needs(linked::Needs),
    /// A file of Debian's packages.
    Debian(&'static str),
    /// A file of this computer.
    Host(&'static str),
    /// A command of the guest that makes it.
    Guest(&'static str),
}

/// How much of a file is left.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    First(usize),
    Half,
    Without(usize),
}

impl Cut {
    fn of(self, mut bytes: Vec<u8>) -> Vec<u8> {
        let left = match self {
            Self::First(count) => count,
            Self::Half => bytes.len() / 2,
            Self::Without(count) => bytes.len().saturating_sub(count),
        };
        bytes.truncate(left);
        bytes
    }
}

/// The samples of a boot of a kernel with this byte order.
pub(crate) fn rows(place: Where, native: Order) -> impl Iterator<Item = &'static Row> {
    let all = table::ROWS.iter().chain(linked::ROWS);
    all.filter(move |row| row.place == place && row.only.is_none_or(|order| order == native))
}

/// Puts the row's file into `dir`, for kernels of this byte order; what the guest makes is left to it.
pub(crate) fn place(row: &Row, native: Order, dir: &Path) -> Result<()> {
    let to = dir.join(row.name);
    match &row.make {
        Make::Guest(_) => return Ok(()),
        Make::Host(from) => link(Path::new(from), &to)?,
        Make::Needs(needs) => link(&linked::program(*needs, native)?, &to)?,
        Make::Debian(file) => link(&linked::debians_file(file)?, &to)?,
        Make::Go(side, float) => link(&go::hello(side.order(native), *float)?, &to)?,
        Make::V2ray(whose, size) => link(&v2ray(whose.order(native), *size)?, &to)?,
        Make::C(side, how) => link(&c::program(side.order(native), *how)?, &to)?,
        Make::Mutant(change) => fs::write(&to, mutant(native, Link::Static, *change)?)?,
        Make::DynamicMutant(change) => fs::write(&to, mutant(native, Link::Dynamic, *change)?)?,
        Make::Cut(cut) => fs::write(&to, cut.of(fs::read(go::hello(native, Float::Soft)?)?))?,
        Make::Bytes(make) => fs::write(&to, make())?,
        Make::Text(text) => fs::write(&to, text)?,
    }
    fs::set_permissions(&to, fs::Permissions::from_mode(row.mode))
        .with_context(|| format!("make {}", row.name))
}

fn link(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    Ok(())
}

fn mutant(native: Order, how: Link, change: fn(&mut Image) -> Option<()>) -> Result<Vec<u8>> {
    let mut elf = Image::parse(fs::read(c::program(native, how)?)?).context("an ELF file")?;
    change(&mut elf).context("a field that the file has")?;
    Ok(elf.bytes)
}

/// `target/samples/NAME`, made by `build` unless it is there and was made by the same recipe.
fn make(name: &str, recipe: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let dir = sh::target("samples")?;
    let (file, note) = (dir.join(name), dir.join(format!("{name}.recipe")));
    let _alone = sh::alone(&file);
    if file.is_file() && fs::read_to_string(&note).is_ok_and(|made_by| made_by == recipe) {
        return Ok(file);
    }
    sh::say(format!("sample {name}: {}", recipe.lines().next().unwrap_or_default()));
    let scratch = Scratch::open("sample")?;
    let new = scratch.path().join(name);
    build(&new).with_context(|| format!("build the sample {name}"))?;
    fs::rename(&new, &file).with_context(|| format!("keep the sample {name}"))?;
    fs::write(note, recipe)?;
    Ok(file)
}

/// Whether a file begins with these bytes.
pub(crate) fn begins(file: &Path, magic: &[u8]) -> bool {
    let mut first = vec![0; magic.len()];
    fs::File::open(file).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == magic
}

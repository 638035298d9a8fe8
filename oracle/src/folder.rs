//! A folder of cases: what they share, and each one's own files. Every name is relative to it, and it is the current
//! folder of diag and of the runner.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::abi::Abi;
use crate::base::KINDS;
use crate::case::{Case, File, Files};

/// What every folder has besides programs: regular files, then those that [`Folder::special`] makes, and one name that
/// nothing has.
pub const SHARED: &[&str] =
    &["text", "short", "empty", "plain", "dir", "fifo", "socket", "loop", "dangling", "null", "missing"];
/// How deep scripts lead to each other: `ABI.chain-END-0` names END, `-1` names `-0`, up to this.
pub const CHAIN: usize = 7;
/// What the last of such scripts names: a program, nothing, a text.
pub const CHAIN_ENDS: [&str; 3] = ["tiny", "missing", "text"];
/// How a text begins that a rule of [`misc_rules`] is for.
pub const MAGIC: &[u8] = b"ORCL";
/// The EI_OSABI that one is for.
pub const OSABI: u64 = 255;
/// The suffixes that the others are for.
pub const SUFFIXES: [&str; 5] = [".orc", ".orp", ".orm", ".ors", ".ort"];

/// Rules for binfmt_misc, as they are written into its `register`: by bytes at the front, by EI_OSABI, and by suffix,
/// with interpreters that are a program, nothing, a script and a text.
pub fn misc_rules(abi: &Abi) -> Vec<String> {
    let abi = abi.name;
    vec![
        format!(":oracle-magic:M::ORCL::{abi}.pie:"),
        format!(":oracle-osabi:M:7:\\xff::{abi}.static:"),
        format!(":oracle-orc:E::orc::{abi}.tiny:"),
        format!(":oracle-orp:E::orp::{abi}.dynamic:P"),
        ":oracle-orm:E::orm::missing:".to_owned(),
        format!(":oracle-ors:E::ors::{abi}.chain-tiny-4:"),
        ":oracle-ort:E::ort::text:".to_owned(),
    ]
}

/// Makes in a guest what [`Folder::special`] makes here. Before Linux 5.8 an executable FIFO is opened before it is
/// refused, and that waits for a writer: there it has no x bit.
pub const SPECIAL: &str = "mkdir -p dir noexec closed\nmkfifo -m 644 fifo\nln -sf loop loop\n\
    ln -sf missing dangling\nln -sf /dev/null null\nchmod 0 closed\n";

/// Such a folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// With the regular files that cases of these ABIs share.
    pub fn create(path: &Path, abis: &[&'static Abi]) -> io::Result<Folder> {
        fs::create_dir_all(path.join("closed"))?;
        let folder = Folder(path.to_path_buf());
        for (name, content, mode) in [
            // Longer than either ELF header, and shorter than both.
            (
                "text",
                "a text, long enough to fill the header of an ELF file, but it is none of that\n",
                0o755,
            ),
            ("short", "a text\n", 0o755),
            ("empty", "", 0o755),
            ("plain", "#!text\n", 0o644),
        ] {
            folder.write(&File { name: name.to_owned(), bytes: content.into(), mode })?;
        }
        for abi in abis {
            folder.programs(abi)?;
        }
        Ok(folder)
    }

    fn programs(&self, abi: &'static Abi) -> io::Result<()> {
        for kind in KINDS.iter().filter(|kind| kind.fits(abi)) {
            let files = Case::pristine(abi, kind).files();
            for mut file in files.files {
                file.name = format!("{}.{}", abi.name, kind.name);
                self.write(&file)?;
                if kind.name == "tiny" {
                    file.name = format!("closed/{}", file.name);
                    self.write(&file)?;
                }
            }
        }
        for end in CHAIN_ENDS {
            let mut next = if end == "tiny" { format!("{}.tiny", abi.name) } else { end.to_owned() };
            for depth in 0..=CHAIN {
                let name = format!("{}.chain-{end}-{depth}", abi.name);
                self.write(&File { name: name.clone(), bytes: format!("#!{next}\n").into(), mode: 0o755 })?;
                next = name;
            }
        }
        let link = self.0.join(format!("link-{}", abi.name));
        let _ = fs::remove_file(&link);
        symlink(format!("{}.tiny", abi.name), link)
    }

    /// What is no regular file, and the folder that nobody may search; `noexec` where nothing is mounted there.
    pub fn special(&self) -> io::Result<()> {
        for name in ["dir", "noexec"] {
            fs::create_dir_all(self.0.join(name))?;
        }
        let fifo = nix::sys::stat::Mode::from_bits_truncate(0o755);
        nix::unistd::mkfifo(&self.0.join("fifo"), fifo)?;
        UnixListener::bind(self.0.join("socket"))?;
        fs::set_permissions(self.0.join("socket"), fs::Permissions::from_mode(0o755))?;
        for (name, to) in [("loop", "loop"), ("dangling", "missing"), ("null", "/dev/null")] {
            symlink(to, self.0.join(name))?;
        }
        fs::set_permissions(self.0.join("closed"), fs::Permissions::from_mode(0o0))
    }

    /// Removes such a folder. Its owner, too, has to open what is closed before.
    pub fn remove(path: &Path) -> io::Result<()> {
        match fs::set_permissions(path.join("closed"), fs::Permissions::from_mode(0o700)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::remove_dir_all(path),
        }
    }

    /// Writes a case's own files.
    pub fn place(&self, files: &Files) -> io::Result<()> {
        files.files.iter().try_for_each(|file| self.write(file))
    }

    /// Opens the program for writing, where somebody is to do so.
    pub fn occupy(&self, files: &Files) -> io::Result<Option<fs::File>> {
        match files.files.first().filter(|_| files.busy) {
            Some(file) => fs::OpenOptions::new().append(true).open(self.0.join(&file.name)).map(Some),
            None => Ok(None),
        }
    }

    /// Removes a case's own files.
    pub fn clear(&self, files: &Files) {
        for file in &files.files {
            let _ = fs::remove_file(self.0.join(&file.name));
        }
    }

    fn write(&self, file: &File) -> io::Result<()> {
        let path = self.0.join(&file.name);
        let mut out =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o755).open(path)?;
        out.write_all(&file.bytes)?;
        // The umask has no say.
        out.set_permissions(fs::Permissions::from_mode(file.mode))
    }
}

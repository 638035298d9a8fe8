//! What glibc's ld.so tells of a program: LD_TRACE_LOADED_OBJECTS, which is all that ldd is, LD_DEBUG and LD_WARN.

use std::process::Command;

use super::{End, Library, Traced, run};

/// Variables of the environment.
pub type Env = [(String, String)];

/// Asks the loader of one program; `command` makes the command that starts it with more variables.
pub fn trace(loader: &str, command: &dyn Fn(&Env) -> Command) -> Result<Traced, String> {
    let ask = |variables: &[(&str, &str)]| {
        let env: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        run(&mut command(&env))
    };
    let mode = ("LD_TRACE_LOADED_OBJECTS", "1");
    let all = ask(&[mode, ("LD_DEBUG", "libs,files"), ("LD_WARN", "1"), ("LD_BIND_NOW", "1")])?;
    let said = Words::of(&all.words);
    let mut traced = Traced { errors: said.errors, ..Traced::default() };
    if all.end != End::Exited(0) {
        return Ok(traced);
    }
    traced.libraries = Some(join(list(&all.output, loader), &said.looked));
    traced.unresolved = said.unresolved;
    if !traced.unresolved.is_empty() {
        let soon = Words::of(&ask(&[mode, ("LD_WARN", "1")])?.words).unresolved;
        let (soon, later) = traced.unresolved.into_iter().partition(|symbol| soon.contains(symbol));
        traced.unresolved = soon;
        traced.unresolved_later = later;
    }
    Ok(traced)
}

/// Lines of LD_TRACE_LOADED_OBJECTS, in their order.
pub fn list(lines: &[String], loader: &str) -> Vec<Library> {
    let mut found: Vec<Library> = Vec::new();
    for line in lines {
        let Some(line) = line.strip_prefix('\t') else { continue };
        let (name, place) = line.split_once(" => ").unwrap_or((line, line));
        let without_address = |text: &str| text.rsplit_once(" (0x").map(|(path, _)| path.to_owned());
        let name = without_address(name).unwrap_or_else(|| name.to_owned());
        let path = without_address(place);
        let kernels = name.starts_with("linux-vdso") || name.starts_with("linux-gate.so");
        let itself = name == loader || path.as_deref() == Some(loader);
        // One that is missing is listed for each that needs it.
        let again = path.is_none() && found.iter().any(|one| one.path.is_none() && one.name == name);
        if !kernels && !itself && !again && name != "statically linked" {
            found.push(Library { name, path, ..Library::default() });
        }
    }
    found
}

/// A search for a library, as LD_DEBUG=libs,files tells of it.
#[derive(Debug)]
struct Looked {
    name: String,
    needed_by: String,
    tried: Vec<String>,
}

fn join(mut list: Vec<Library>, looked: &[Looked]) -> Vec<Library> {
    for library in &mut list {
        let Some(first) = looked.iter().find(|one| one.name == library.name) else { continue };
        library.needed_by = Some(first.needed_by.clone());
        let mut tried = first.tried.clone();
        if tried.last() == library.path.as_ref() {
            tried.pop();
        }
        library.tried = Some(tried);
    }
    list
}

/// What it writes to stderr.
#[derive(Debug, Default)]
struct Words {
    looked: Vec<Looked>,
    unresolved: Vec<String>,
    errors: Vec<String>,
}

impl Words {
    fn of(lines: &[String]) -> Words {
        let mut words = Words::default();
        for line in lines {
            if let Some(debug) = debug(line) {
                words.debug(debug);
            } else if let Some((symbol, _)) = line.rsplit_once("\t(") {
                words.unresolved.push(symbol.to_owned());
            } else {
                words.errors.push(line.clone());
            }
        }
        words
    }

    fn debug(&mut self, line: &str) {
        if let Some((name, whose)) =
            line.strip_prefix("file=").and_then(|rest| rest.split_once(" [0];  needed by "))
        {
            let needed_by = whose.trim_end_matches(" [0]").to_owned();
            self.looked.push(Looked { name: name.to_owned(), needed_by, tried: Vec::new() });
        } else if let (Some(path), Some(last)) = (line.strip_prefix("trying file="), self.looked.last_mut()) {
            last.tried.push(path.to_owned());
        }
    }
}

/// A line of LD_DEBUG, without the process's number.
fn debug(line: &str) -> Option<&str> {
    let (number, text) = line.split_once(":\t")?;
    number.trim_start().bytes().all(|byte| byte.is_ascii_digit()).then(|| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_list_of_ldd() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlinux-vdso64.so.1 (0x00007ffd)\n\tlibfoo.so => not found\n\
                    \tlibc.so.6 => /lib/x/libc.so.6 (0x00007f88)\n\t./a/libb.so (0x00007f89)\n\
                    \tlibfoo.so => not found\n\t/lib64/ld.so (0x00007f)\n\tld.so => /lib64/ld.so (0x00007f)\n";
        let found: Vec<(String, Option<String>)> =
            list(&lines(said), "/lib64/ld.so").into_iter().map(|one| (one.name, one.path)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                ("libfoo.so".to_owned(), None),
                ("libc.so.6".to_owned(), some("/lib/x/libc.so.6")),
                ("./a/libb.so".to_owned(), some("./a/libb.so")),
            ]
        );
        assert_eq!(list(&lines("\tstatically linked\n"), "/lib64/ld.so"), []);
    }

    #[test]
    fn searches_and_errors() {
        let said = "     12:\t\n     12:\tfile=libfoo.so [0];  needed by ./z [0]\n\
                    12:\tfind library=libfoo.so [0]; searching\n     12:\t search cache=/etc/ld.so.cache\n\
                    12:\t  trying file=/a/libfoo.so\n     12:\t  trying file=/b/libfoo.so\n\
                    undefined symbol: bar\t(./z)\n./z: error while loading shared libraries: x\n";
        let words = Words::of(&lines(said));
        assert_eq!(words.unresolved, ["undefined symbol: bar"]);
        assert_eq!(words.errors, ["./z: error while loading shared libraries: x"]);
        let found =
            Library { name: "libfoo.so".into(), path: Some("/b/libfoo.so".into()), ..Library::default() };
        let joined = join(vec![found], &words.looked);
        assert_eq!(joined[0].needed_by.as_deref(), Some("./z"));
        assert_eq!(joined[0].tried.as_deref(), Some(&["/a/libfoo.so".to_owned()][..]));
    }
}

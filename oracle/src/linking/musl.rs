//! What musl's loader tells of a program: `--list`, which is all that its ldd is.

use std::process::Command;

use super::{End, Library, Traced, run};

/// Runs `LOADER --list PROGRAM`.
pub fn trace(command: &mut Command, loader: &str) -> Result<Traced, String> {
    let ran = run(command)?;
    let mut traced = Traced::default();
    // A library may be the end of it, before it has listed all.
    if matches!(ran.end, End::Exited(_)) {
        traced.libraries = Some(list(&ran.output, &ran.words, loader));
    }
    for line in &ran.words {
        match line.strip_suffix(": symbol not found") {
            Some(symbol) if line.starts_with("Error relocating ") => {
                traced.unresolved.push(symbol.rsplit(": ").next().unwrap_or(symbol).to_owned());
            }
            _ => traced.errors.push(line.clone()),
        }
    }
    Ok(traced)
}

/// What is found is on stdout, in load order; what is not, on stderr. How the two mix is not told: those that are
/// missing come last.
fn list(output: &[String], words: &[String], loader: &str) -> Vec<Library> {
    let mut found: Vec<Library> = Vec::new();
    let mut add = |name: &str, path: Option<&str>, needed_by: Option<&str>| {
        if !found.iter().any(|one| one.name == name || path.is_some() && one.path.as_deref() == path) {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            found.push(Library {
                name: name.to_owned(),
                path: owned(path),
                needed_by: owned(needed_by),
                tried: None,
            });
        }
    };
    for line in output {
        let Some((line, _)) = line.trim_start().rsplit_once(" (0x") else { continue };
        let (name, path) = line.split_once(" => ").unwrap_or((line, line));
        if path != loader {
            add(name, Some(path), None);
        }
    }
    for line in words {
        let Some(line) = line.strip_prefix("Error loading shared library ") else { continue };
        let Some((name, rest)) = line.split_once(": ") else { continue };
        let needed_by = rest.rsplit_once(" (needed by ").and_then(|(_, whose)| whose.strip_suffix(')'));
        add(name, None, needed_by);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_what_is_missing() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let output = lines(
            "\t/lib/ld-musl-x86_64.so.1 (0x7f)\n\tlibfoo.so => ./libfoo.so (0x7f)\n\
             \tlibc.so => /lib/ld-musl-x86_64.so.1 (0x7f)\n",
        );
        let words =
            lines("Error loading shared library libbar.so: No such file or directory (needed by ./x)\n");
        let found = list(&output, &words, "/lib/ld-musl-x86_64.so.1");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].name.as_str(), found[0].path.as_deref()), ("libfoo.so", Some("./libfoo.so")));
        assert_eq!((found[1].name.as_str(), found[1].needed_by.as_deref()), ("libbar.so", Some("./x")));
    }
}

//! `src/text/pairs.rs`: the pairs of bytes that are the most frequent in what `packed!` packs. Any pairs would do; these
//! save the most.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

use crate::sh;

/// Bytes that stand for pairs: from 0x80 to 0xff, then from 0x0e to 0x1f.
const COUNT: usize = 128 + 18;

type Pair = [u8; 2];

pub(crate) fn main() -> Result<()> {
    let mut texts = Vec::new();
    folder(&sh::root().join("src"), &mut texts)?;
    let before: usize = texts.iter().map(Vec::len).sum();
    let pairs = choose(&mut texts);
    let after: usize = texts.iter().map(Vec::len).sum();
    let file = sh::root().join("src/text/pairs.rs");
    fs::write(&file, source(&pairs)?).with_context(|| format!("write {}", file.display()))?;
    sh::say(format!(
        "{} texts of {before} bytes take {after}, and {} of pairs",
        texts.len(),
        pairs.len() * 2
    ));
    Ok(())
}

/// Collects what is packed by the sources of a folder.
fn folder(folder: &Path, texts: &mut Vec<Vec<u8>>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            self::folder(&path, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            let tokens = source.parse::<TokenStream>().map_err(|error| anyhow!("{error}"));
            collect(tokens.with_context(|| format!("parse {}", path.display()))?, texts)?;
        }
    }
    Ok(())
}

/// Macros that pack the texts they are given.
const MACROS: [&str; 5] = ["packed", "key", "errno", "questions", "steps"];

/// Collects the texts of each `packed!(...)` and its like.
fn collect(tokens: TokenStream, texts: &mut Vec<Vec<u8>>) -> Result<()> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let before = tokens.get(at.saturating_sub(2)..at).unwrap_or_default();
        let is_packed = matches!(before, [TokenTree::Ident(name), TokenTree::Punct(mark)]
            if MACROS.iter().any(|known| name == known) && mark.as_char() == '!');
        if is_packed {
            texts.extend(group.stream().into_iter().filter_map(literal));
        } else {
            collect(group.stream(), texts)?;
        }
    }
    Ok(())
}

fn literal(token: TokenTree) -> Option<Vec<u8>> {
    let text = syn::parse2::<syn::LitStr>(token.into()).ok()?;
    Some(text.value().into_bytes())
}

/// Takes the most frequent pair, again and again, and puts its code in its place.
fn choose(texts: &mut [Vec<u8>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    while pairs.len() < COUNT {
        let mut counts: HashMap<Pair, usize> = HashMap::new();
        for pair in texts.iter().flat_map(|text| text.windows(2)) {
            if !pair.contains(&b'\n') {
                *counts.entry([pair[0], pair[1]]).or_default() += 1;
            }
        }
        // The same for everybody where several are as frequent.
        let Some((pair, _)) = counts.into_iter().max_by_key(|(pair, count)| (*count, *pair)) else { break };
        let place = u8::try_from(pairs.len()).unwrap_or_default();
        let code = if place < 0x80 { 0x80 + place } else { place - 0x80 + 0x0e };
        for text in &mut *texts {
            *text = replaced(text, pair, code);
        }
        pairs.push(pair);
    }
    pairs
}

fn replaced(text: &[u8], pair: Pair, code: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if rest.starts_with(&pair) {
            out.push(code);
            rest = &rest[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

fn source(pairs: &[Pair]) -> Result<String> {
    let mut out = format!(
        "//! What bytes stand for in packed texts; written by `cargo xtask pairs` from these texts.\n\n\
         /// Pairs of bytes, each of which may stand for a pair before it.\n#[rustfmt::skip]\n\
         pub(super) const PAIRS: [[u8; 2]; {COUNT}] = [\n",
    );
    for (at, pair) in pairs.iter().enumerate() {
        write!(out, "{}[{:#04x}, {:#04x}],", if at % 8 == 0 { "    " } else { " " }, pair[0], pair[1])?;
        out.push_str(if at % 8 == 7 || at + 1 == pairs.len() { "\n" } else { "" });
    }
    out.push_str("];\n");
    Ok(out)
}

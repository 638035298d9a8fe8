//! The names in what GitHub, Gitea and their like answer about a release: JSON with a list `assets`, of objects that have
//! a `name` and a `browser_download_url`.

use alloc::string::String;
use alloc::vec::Vec;

/// Objects and lists within each other. A release has four.
const DEEPEST: usize = 32;

/// An object that is being read.
#[derive(Default)]
struct Object {
    name: Option<String>,
    is_file: bool,
}

/// The names of the files; None where that is no JSON.
pub fn names(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<Object> = Vec::new();
    let mut rest = text;
    let mut key: Option<String> = None;
    let mut last: Option<String> = None;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..)?;
        match letter {
            '{' | '[' => {
                if open.len() >= DEEPEST {
                    return None;
                }
                open.push(Object::default());
                (key, last) = (None, None);
            }
            '}' | ']' => {
                member(open.last_mut()?, key.take().as_deref(), last.take());
                let object = open.pop()?;
                found.extend(object.name.filter(|_| object.is_file));
            }
            '"' => {
                let (value, behind) = string(rest)?;
                (last, rest) = (Some(value), behind);
            }
            ':' => key = last.take(),
            ',' => member(open.last_mut()?, key.take().as_deref(), last.take()),
            _ => {}
        }
    }
    open.is_empty().then_some(found)
}

fn member(object: &mut Object, key: Option<&str>, value: Option<String>) {
    match key {
        Some("name") => object.name = value,
        Some("browser_download_url") => object.is_file = true,
        _ => {}
    }
}

/// A string behind its first quote, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at.checked_add(1)?..)?)),
            '\\' => match letters.next()?.1 {
                'u' => {
                    let (first, _) = letters.next()?;
                    let digits = text.get(first..first.checked_add(4)?)?;
                    letters.nth(2)?;
                    // A half of a pair stands for what no file is called.
                    let code = u32::from_str_radix(digits, 16).ok()?;
                    value.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

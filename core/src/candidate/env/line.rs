//! What env makes of its arguments.

use alloc::vec::Vec;

use super::{Env, Plan, Search};
use crate::target::Known;
use crate::text::cut_bytes;

/// Arguments, the next one last.
pub(super) type Words = Vec<Vec<u8>>;

/// A program that is to be started.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Command {
    pub(super) name: Vec<u8>,
    /// What follows its name.
    pub(super) rest: Words,
    pub(super) search: Search,
    /// The folder of `-C`.
    pub(super) folder: Option<Vec<u8>>,
}

/// What an env knows of itself and of its surroundings.
pub(super) trait Knows {
    /// Whether it has `-S`: GNU's since coreutils 8.30.
    fn splits(&self) -> Known<bool>;
    /// A variable of the environment.
    fn variable(&self, name: &[u8]) -> Vec<u8>;
}

/// The command on the line; a plan where there is none.
pub(super) fn command(env: Env, words: Words, script: &[u8], knows: &dyn Knows) -> Result<Command, Plan> {
    // A router's env is BusyBox', which takes no line apart.
    if crate::ROUTER {
        return of_one_argument(env, words, script);
    }
    let mut line = Parser { env, words, search: Search::Callers, folder: None, null: false };
    line.options(knows)?;
    if line.next_if(|word| word == b"-").is_some() {
        line.search = Search::Unset;
    }
    // The first `=` ends the name: what holds one is no program.
    while let Some(set) = line.next_if(|word| word.contains(&b'=')) {
        if let Some((b"PATH", value)) = cut_bytes(&set, b'=') {
            line.search = Search::Set(value.to_vec());
        }
    }
    let Some(name) = line.words.pop() else { return Err(Plan::Prints) };
    if env == Env::Gnu && line.null {
        return Err(refuse(env, b'0'));
    }
    let Parser { words, search, folder, .. } = line;
    if name == script {
        return Err(Plan::Itself);
    }
    Ok(Command { name, rest: words, search, folder })
}

/// The same where options, or variables, fill the one argument, and the script itself comes in the program's place.
fn of_one_argument(env: Env, mut words: Words, script: &[u8]) -> Result<Command, Plan> {
    let name = words.pop().unwrap_or_default();
    if let Some(letters) = name.strip_prefix(b"-") {
        return Err(match letters.iter().find(|letter| !b"i0".contains(letter)) {
            _ if env != Env::BusyBox => Plan::Unknown,
            Some(b'-' | b'u') => Plan::Unknown,
            Some(letter) => refuse(env, *letter),
            None => Plan::Itself,
        });
    }
    if name == script || name.contains(&b'=') {
        return Err(Plan::Itself);
    }
    Ok(Command { name, rest: words, search: Search::Callers, folder: None })
}

/// GNU's EXIT_CANCELED, which toybox took over; BusyBox' bb_show_usage().
const fn refuse(env: Env, option: u8) -> Plan {
    Plan::Refuses { status: if matches!(env, Env::BusyBox) { 1 } else { 125 }, option }
}

struct Parser {
    env: Env,
    words: Words,
    search: Search,
    folder: Option<Vec<u8>>,
    /// `-0`, with which GNU's starts nothing.
    null: bool,
}

/// GNU's long options, and the short ones that they are; `-` for those that take no value and change nothing here.
const GNU: [(&[u8], u8); 13] = [
    (b"argv0", b'a'),
    (b"block-signal", b'-'),
    (b"chdir", b'C'),
    (b"debug", b'v'),
    (b"default-signal", b'-'),
    (b"help", b'h'),
    (b"ignore-environment", b'i'),
    (b"ignore-signal", b'-'),
    (b"list-signal-handling", b'-'),
    (b"null", b'0'),
    (b"split-string", b'S'),
    (b"unset", b'u'),
    (b"version", b'h'),
];
/// BusyBox' and toybox'.
const OTHERS: [(&[u8], u8); 4] =
    [(b"help", b'h'), (b"ignore-environment", b'i'), (b"null", b'0'), (b"unset", b'u')];

impl Parser {
    /// The next word, where it is one of a kind.
    fn next_if(&mut self, is_one: fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        if self.words.last().is_some_and(|word| is_one(word)) { self.words.pop() } else { None }
    }

    /// getopt_long(3), up to the first word that is no option.
    fn options(&mut self, knows: &dyn Knows) -> Result<(), Plan> {
        while let Some(word) = self.next_if(|word| word.starts_with(b"-") && word.len() > 1) {
            match word.strip_prefix(b"--") {
                Some(b"") => break,
                Some(long) => self.long(long, knows)?,
                None => self.short(word.get(1..).unwrap_or_default(), knows)?,
            }
        }
        Ok(())
    }

    fn long(&mut self, option: &[u8], knows: &dyn Knows) -> Result<(), Plan> {
        let (name, value) = match cut_bytes(option, b'=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let all: &[(&[u8], u8)] = if self.env == Env::Gnu { &GNU } else { &OTHERS };
        // It may be abbreviated.
        let mut alike = all.iter().filter(|(long, _)| long.starts_with(name));
        let exact = all.iter().find(|(long, _)| *long == name);
        let found = exact.or_else(|| alike.next().filter(|_| alike.next().is_none()));
        match found {
            Some((_, b'-')) => Ok(()),
            Some((_, b'h')) => Err(Plan::Prints),
            Some((_, short)) => self.option(*short, value, knows),
            None => Err(refuse(self.env, 0)),
        }
    }

    /// Letters in a row; the value of one that takes one is what follows it, or the next word.
    fn short(&mut self, letters: &[u8], knows: &dyn Knows) -> Result<(), Plan> {
        for (at, letter) in letters.iter().enumerate() {
            let rest = letters.get(at.saturating_add(1)..).filter(|rest| !rest.is_empty());
            let takes_value = match self.env {
                Env::Gnu => matches!(letter, b'u' | b'C' | b'S' | b'a'),
                Env::BusyBox => *letter == b'u',
                Env::Toybox => matches!(letter, b'u' | b'e'),
            };
            if takes_value {
                return self.option(*letter, rest, knows);
            }
            let is_known = matches!(letter, b'i' | b'0') || (self.env == Env::Gnu && *letter == b'v');
            if !is_known {
                return Err(refuse(self.env, *letter));
            }
            self.option(*letter, None, knows)?;
        }
        Ok(())
    }

    fn option(&mut self, letter: u8, value: Option<&[u8]>, knows: &dyn Knows) -> Result<(), Plan> {
        match letter {
            b'i' => self.search = Search::Unset,
            b'0' => self.null = true,
            // Names what is to be executed in the place of the command, or what it is to be called.
            b'e' => return Err(Plan::Unknown),
            b'u' | b'C' | b'S' | b'a' => {
                let value = value.map(<[u8]>::to_vec).or_else(|| self.words.pop());
                let Some(value) = value else { return Err(refuse(self.env, letter)) };
                match letter {
                    b'u' if value == b"PATH" => self.search = Search::Unset,
                    b'C' => self.folder = Some(value),
                    b'S' => match knows.splits() {
                        Some(true) => self.split(&value, knows)?,
                        Some(false) => return Err(refuse(self.env, letter)),
                        None => return Err(Plan::Unknown),
                    },
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Has the words of a string in the place of the string, as options again.
    fn split(&mut self, string: &[u8], knows: &dyn Knows) -> Result<(), Plan> {
        let words = split(string, knows).ok_or(refuse(self.env, b'S'))?;
        self.words.extend(words.into_iter().rev());
        Ok(())
    }
}

/// The words of a string: GNU's `build_argv`. None where it refuses it.
fn split(string: &[u8], knows: &dyn Knows) -> Option<Vec<Vec<u8>>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    // A word has begun, though nothing may be in it yet.
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut left = string;
    while let Some((&byte, rest)) = left.split_first() {
        left = rest;
        match (byte, quote) {
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (b'\'' | b'"', Some(open)) if open == byte => quote = None,
            (b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', None) => words.extend(word.take()),
            (b'#', None) if word.is_none() => break,
            (b'\\', _) => {
                let (&escaped, rest) = left.split_first()?;
                left = rest;
                let is_kept = quote == Some(b'\'') && !matches!(escaped, b'\\' | b'\'');
                let plain = match escaped {
                    _ if is_kept => {
                        word.get_or_insert_default().push(b'\\');
                        escaped
                    }
                    b'_' if quote.is_none() => {
                        words.extend(word.take());
                        continue;
                    }
                    b'c' if quote.is_some() => return None,
                    b'c' => break,
                    b'_' => b' ',
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 0x0b,
                    b'"' | b'#' | b'$' | b'\'' | b'\\' => escaped,
                    _ => return None,
                };
                word.get_or_insert_default().push(plain);
            }
            (b'$', None | Some(b'"')) => {
                let (name, behind) = cut_bytes(left.strip_prefix(b"{")?, b'}')?;
                word.get_or_insert_default().extend(knows.variable(name));
                left = behind;
            }
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(all(test, feature = "every-machine"))]
mod tests {
    use alloc::{format, vec};

    use super::*;

    /// An env that has `-S`, and FOO set to "a b".
    struct New;

    impl Knows for New {
        fn splits(&self) -> Known<bool> {
            Some(true)
        }
        fn variable(&self, name: &[u8]) -> Vec<u8> {
            if name == b"FOO" { b"a b".to_vec() } else { Vec::new() }
        }
    }

    fn words_of(line: &str) -> Words {
        vec![b"/x".to_vec(), line.into()]
    }

    /// The name and the folders that a line leads to.
    #[track_caller]
    fn seeks(env: Env, line: &str, name: &str, search: Search) {
        let command = command(env, words_of(line), b"/x", &New).unwrap();
        assert_eq!((command.name, command.search), (name.as_bytes().to_vec(), search), "{line}");
    }

    #[track_caller]
    fn refuses(env: Env, line: &str, wanted: (u8, u8)) {
        match command(env, words_of(line), b"/x", &New) {
            Err(Plan::Refuses { status, option }) => assert_eq!((status, option), wanted, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn what_is_looked_for() {
        for env in [Env::Gnu, Env::BusyBox, Env::Toybox] {
            seeks(env, "python3", "python3", Search::Callers);
            seeks(env, "python3 -u", "python3 -u", Search::Callers);
            seeks(env, "bash\r", "bash\r", Search::Callers);
        }
        seeks(Env::Gnu, "-S python3 -u\r", "python3", Search::Callers);
        seeks(Env::Gnu, "-vS -i -- A=1 b", "b", Search::Unset);
        seeks(Env::Gnu, "-S -u PATH b", "b", Search::Unset);
        seeks(Env::Gnu, "-S - PATH=/c b", "b", Search::Set(b"/c".to_vec()));
        seeks(Env::Gnu, "--split-s=${FOO}c d", "a bc", Search::Callers);
    }

    #[test]
    fn what_is_refused() {
        refuses(Env::BusyBox, "-S python3", (1, b'S'));
        refuses(Env::BusyBox, "-i sh", (1, b' '));
        refuses(Env::Toybox, "-v sh", (125, b'v'));
        refuses(Env::Gnu, "-i sh", (125, b' '));
        refuses(Env::Gnu, "--nothing", (125, 0));
        // Of two that begin so, it is neither.
        refuses(Env::Gnu, "--ignore", (125, 0));
        refuses(Env::Gnu, "-S 'a", (125, b'S'));
        refuses(Env::Gnu, "-0", (125, b'0'));
    }

    #[test]
    fn what_starts_nothing_else() {
        let plan = |line| command(Env::Gnu, words_of(line), b"/x", &New);
        assert!(matches!(plan("A=1 python3"), Err(Plan::Itself)));
        assert!(matches!(plan("-uA"), Err(Plan::Itself)));
        assert!(matches!(plan("-u"), Err(Plan::Prints)));
        assert!(matches!(plan("--help"), Err(Plan::Prints)));
    }

    #[test]
    fn one_argument_as_all_read_it() {
        for line in ["sh", "sh -e", "-", "-i", "A=1 sh", "-i sh", "-S sh -e", "-vS sh"] {
            let (one, all) = (
                of_one_argument(Env::BusyBox, words_of(line), b"/x"),
                command(Env::BusyBox, words_of(line), b"/x", &New),
            );
            assert_eq!(format!("{one:?}"), format!("{all:?}"), "{line}");
        }
        for (env, line) in [(Env::BusyBox, "-u A"), (Env::BusyBox, "--help"), (Env::Gnu, "-i")] {
            assert!(matches!(of_one_argument(env, words_of(line), b"/x"), Err(Plan::Unknown)), "{line}");
        }
    }

    #[test]
    fn words_of_a_string() {
        let of = |string: &str| split(string.as_bytes(), &New).map(|words| words.join(&b'|'));
        assert_eq!(of(" a  'b c' \"d\\te\" f\\_g").as_deref(), Some(&b"a|b c|d\te|f|g"[..]));
        assert_eq!(of("a'b'\"c\" '' #x").as_deref(), Some(&b"abc|"[..]));
        assert_eq!(of("a\\c b").as_deref(), Some(&b"a"[..]));
        assert_eq!(of("'a\\tb' \"${FOO}\"").as_deref(), Some(&b"a\\tb|a b"[..]));
        for wrong in ["'a", "a\\", "\\x", "$FOO", "${FOO", "\"\\c\""] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}

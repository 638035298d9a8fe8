//! What has a shell complete the options, from their table: `diag --completions SHELL`.

use std::fmt::Write as _;

use super::options::{OPTIONS, Row, Value};

/// The script of a shell; of one that there is none for it is empty.
pub fn script(shell: &str) -> String {
    match shell {
        "bash" => bash(),
        "zsh" => zsh(),
        "fish" => fish(),
        _ => String::new(),
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    OPTIONS.iter().filter(|row| row.is_here())
}

/// What an option does, in one line.
fn help(row: &Row) -> String {
    row.help.replace('\n', " ")
}

/// A list with nothing in it has bash complete the names of files. bash 3, as on macOS, has no compopt.
fn bash() -> String {
    let mut values = String::new();
    let mut names = Vec::new();
    for row in rows() {
        names.extend((row.letter != 0).then(|| format!("-{}", char::from(row.letter))));
        if row.long.is_empty() {
            continue;
        }
        let long = format!("--{}", row.long);
        let completed = match row.value {
            Value::None | Value::Text => None,
            Value::Folder => Some(String::from("compopt -o dirnames +o default 2> /dev/null; ")),
            Value::File => Some(String::new()),
            Value::Words(words) => {
                Some(format!("COMPREPLY=($(compgen -W '{}' -- \"$word\")); ", words.join(" ")))
            }
        };
        if let Some(completed) = completed {
            let _ = writeln!(values, "        {long}) {completed}return ;;");
        }
        names.push(long);
    }
    format!(
        "\
# What has bash complete the options of diag: in ~/.local/share/bash-completion/completions/diag, or
# source <(diag --completions bash)
_diag() {{
    local at word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    COMPREPLY=()
    # bash takes --name=value apart.
    if [ \"$word\" = = ]; then
        word=
    elif [ \"$before\" = = ]; then
        before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        [ \"${{COMP_WORDS[at]}}\" = -- ] && return
    done
    case $before in
{values}    esac
    case $word in
        -*) COMPREPLY=($(compgen -W '{}' -- \"$word\")) ;;
    esac
}}
complete -o bashdefault -o default -F _diag diag
",
        names.join(" ")
    )
}

/// `_arguments` takes text behind `[` up to `]`, and what stands in quotes has no quote.
fn zsh() -> String {
    let mut lines = String::new();
    for row in rows() {
        let is_counted = row.letter == b'v';
        let value = match row.value {
            Value::None => String::new(),
            Value::Text => format!(":{}:", row.named),
            Value::Folder => format!(":{}:_files -/", row.named),
            Value::File => format!(":{}:_files", row.named),
            Value::Words(words) => format!(":{}:({})", row.named, words.join(" ")),
        };
        let equals = if value.is_empty() { "" } else { "=" };
        let told =
            help(row).replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:");
        let star = if is_counted { "*" } else { "" };
        if row.letter != 0 {
            let _ = writeln!(lines, "        '{star}-{}[{told}]{value}' \\", char::from(row.letter));
        }
        if !row.long.is_empty() {
            let _ = writeln!(lines, "        '{star}--{}{equals}[{told}]{value}' \\", row.long);
        }
    }
    format!(
        "\
#compdef diag
# What has zsh complete the options of diag: as _diag in a folder of $fpath, or source <(diag --completions zsh)
_diag() {{
    _arguments -s -S \\
{lines}        '*:program:_files'
}}
if [ \"${{funcstack[1]}}\" = _diag ]; then
    _diag \"$@\"
else
    compdef _diag diag
fi
"
    )
}

fn fish() -> String {
    let mut lines = String::from(
        "# What has fish complete the options of diag: in ~/.config/fish/completions/diag.fish, or\n\
         # diag --completions fish | source\n",
    );
    for row in rows() {
        lines.push_str("complete -c diag");
        if row.letter != 0 {
            let _ = write!(lines, " -s {}", char::from(row.letter));
        }
        if !row.long.is_empty() {
            let _ = write!(lines, " -l {}", row.long);
        }
        match row.value {
            Value::None => {}
            Value::Text => lines.push_str(" -x"),
            Value::Folder => lines.push_str(" -x -a '(__fish_complete_directories)'"),
            Value::File => lines.push_str(" -r"),
            Value::Words(words) => {
                let _ = write!(lines, " -x -a '{}'", words.join(" "));
            }
        }
        let _ = writeln!(lines, " -d '{}'", help(row).replace('\\', "\\\\").replace('\'', "\\'"));
    }
    lines
}

//! Which files of a release page are for a machine.

use alloc::string::String;

use super::lines::{GREEN, Lines, RED, YELLOW};
use crate::pick::{Choice, Fit};
use crate::report::Style;
use crate::text::short;

/// A line for each file and one for its reason; where it is asked to be quiet, the best alone, and nothing where none fits.
pub fn choices(choices: &[Choice], style: Style) -> String {
    let mut lines = Lines::new("", style);
    if style.quiet {
        if let Some(best) = choices.first().filter(|choice| choice.fit == Fit::Fits) {
            lines.add(&short(best.name));
            lines.unbroken();
        }
        return lines.out;
    }
    for Choice { name, fit, reason } in choices {
        let (word, colour) = match fit {
            Fit::Fits => ("fits: ", GREEN),
            Fit::Unsure => ("unsure: ", YELLOW),
            Fit::Unreadable => ("cannot read: ", YELLOW),
            Fit::No => ("no: ", RED),
        };
        lines.paint(colour);
        lines.out.push_str(word);
        lines.plain();
        lines.add(&short(name));
        lines.unbroken();
        lines.add(reason);
        lines.note();
    }
    lines.out
}

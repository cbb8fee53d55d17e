//! Cold: whether reports are coloured. `MOD_ALLOC_COLOR` decides; where that is `auto`, the
//! variables that others agree on, then where the output ends.

use std::env;
use std::ffi::OsString;
use std::io::{stderr, stdout, IsTerminal};

use super::environment::{self, Colour};
use crate::counters;

/// # Panics
/// If `MOD_ALLOC_COLOR` has no valid value.
#[track_caller]
pub(super) fn is_on() -> bool {
    let asked = environment::colour();
    // The harness prints on stdout what it has kept of a test, and on stderr what it has not. Who
    // asks for stdout makes its buffer, which the program would allocate else, and count.
    let are_terminals = || stderr().is_terminal() && stdout().is_terminal();
    counters::ignored(|_| decide(asked, &|name| env::var_os(name), &are_terminals))
}

fn decide(
    asked: Colour,
    variable: &dyn Fn(&str) -> Option<OsString>,
    are_terminals: &dyn Fn() -> bool,
) -> bool {
    match asked {
        Colour::Always => return true,
        Colour::Never => return false,
        Colour::Auto => {}
    }
    // <https://no-color.org>
    let is_refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    if is_refused || environment::means_ci(variable("CI")) {
        return false;
    }
    let has = |name, expected: &str| variable(name).is_some_and(|value| value == expected);
    if has("CARGO_TERM_COLOR", "always") || has("CARGO_TERM_COLOR", "never") {
        return has("CARGO_TERM_COLOR", "always");
    }
    // Not every console of Windows knows the codes. Windows Terminal does, and names itself.
    let knows = cfg!(not(windows)) || variable("WT_SESSION").or(variable("TERM")).is_some();
    knows && !has("TERM", "dumb") && are_terminals()
}

#[cfg(test)]
mod tests {
    use super::{decide, Colour};

    #[test]
    fn the_nearest_wish_wins() {
        let check = |asked, set: &[(&str, &str)], in_terminal, expected| {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            let decided = decide(asked, &variable, &|| in_terminal);
            assert_eq!(decided, expected, "{asked:?} {set:?} {in_terminal}");
        };
        let term = ("TERM", "xterm-256color");
        let (no_color, ci) = (("NO_COLOR", "1"), ("CI", "true"));
        let (always, never) = (("CARGO_TERM_COLOR", "always"), ("CARGO_TERM_COLOR", "never"));
        for in_terminal in [true, false] {
            check(Colour::Auto, &[term], in_terminal, in_terminal);
            check(Colour::Auto, &[term, ("NO_COLOR", "")], in_terminal, in_terminal);
            check(Colour::Auto, &[term, ("CI", "false")], in_terminal, in_terminal);
            check(Colour::Auto, &[term, ("CARGO_TERM_COLOR", "auto")], in_terminal, in_terminal);
            check(Colour::Auto, &[term, always], in_terminal, true);
            check(Colour::Auto, &[("TERM", "dumb"), always], in_terminal, true);
            check(Colour::Auto, &[term, never], in_terminal, false);
            check(Colour::Auto, &[("TERM", "dumb")], in_terminal, false);
            check(Colour::Auto, &[term, no_color, always], in_terminal, false);
            check(Colour::Auto, &[term, ci], in_terminal, false);
            check(Colour::Auto, &[term, ci, always], in_terminal, false);
            check(Colour::Always, &[no_color, ci, never], in_terminal, true);
            check(Colour::Never, &[term, always], in_terminal, false);
        }
    }

    #[test]
    fn a_console_of_windows_must_say_that_it_knows_the_codes() {
        let check = |set: &[&str], expected| {
            let variable = |name: &str| set.contains(&name).then(|| "x".into());
            assert_eq!(decide(Colour::Auto, &variable, &|| true), expected, "{set:?}");
        };
        check(&[], cfg!(not(windows)));
        check(&["WT_SESSION"], true);
        check(&["TERM"], true);
    }
}

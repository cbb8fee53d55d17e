//! Cold: `MOD_ALLOC_ON_BREAK=warn`: reports of broken budgets are printed, and the program goes on.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::Mutex;

use super::colour;
use super::say::say;
use crate::counters;
use crate::styled::Styled;

/// Where budgets were broken, as file, line and column.
static PLACES: Mutex<BTreeSet<(&str, u32, u32)>> = Mutex::new(BTreeSet::new());

/// Prints the report of a budget, once for each place.
pub(super) fn print(location: &'static Location<'static>, report: &Styled) {
    let place = (location.file(), location.line(), location.column());
    // It does not wait for the lock: another thread may have held it at a fork. In doubt the report
    // is printed again.
    let is_new =
        counters::ignored(|_| PLACES.try_lock().map_or(true, |mut places| places.insert(place)));
    if is_new {
        let is_coloured = colour::is_on();
        say(&|| if is_coloured { report.coloured() } else { report.as_str().to_owned() });
    }
}

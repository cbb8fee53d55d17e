//! Cold: `Setting`, a key of a macro with its value. Expansions make lists of them. Such a list is
//! a constant, where a chain of setters would be code in each test.

use super::builder::Budget;

/// Each is the setter of the same name. It is public in name only.
#[allow(non_camel_case_types, missing_docs)]
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    max(u64),
    min(u64),
    exact(u64),
    max_bytes(u64),
    max_peak_bytes(u64),
    max_block_bytes(u64),
    max_reallocs(u64),
    max_deallocs(u64),
    max_retained(u64),
    max_retained_bytes(u64),
    /// With the root of the package, as far as the compiler knows it.
    recorded(Option<&'static str>),
    call_sites(bool),
    allow(&'static [&'static str]),
    warmup(u64),
    runs(u64),
}

/// The budget that `settings` make. Whoever repeats the code asks for `warmup` and `runs` itself.
pub(crate) fn budget(settings: &[Setting]) -> Budget {
    let mut budget = Budget::new();
    for setting in settings {
        budget = match *setting {
            Setting::max(allocations) => budget.max(allocations),
            Setting::min(allocations) => budget.min(allocations),
            Setting::exact(allocations) => budget.exact(allocations),
            Setting::max_bytes(bytes) => budget.max_bytes(bytes),
            Setting::max_peak_bytes(bytes) => budget.max_peak_bytes(bytes),
            Setting::max_block_bytes(bytes) => budget.max_block_bytes(bytes),
            Setting::max_reallocs(reallocations) => budget.max_reallocs(reallocations),
            Setting::max_deallocs(deallocations) => budget.max_deallocs(deallocations),
            Setting::max_retained(blocks) => budget.max_retained(blocks),
            Setting::max_retained_bytes(bytes) => budget.max_retained_bytes(bytes),
            Setting::recorded(root) => budget.recorded_of_test(root),
            Setting::call_sites(record) => budget.call_sites(record),
            Setting::allow(paths) => budget.allow(paths),
            Setting::warmup(_) | Setting::runs(_) => budget,
        };
    }
    budget
}

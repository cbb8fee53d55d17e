// Cold: the guide. Its pages are the Markdown files beside this one. rustdoc makes a module of each
// page, and runs its examples; no build of the library contains it.
//
// To add a page `x.md`: list it below, in `labels.md` and in `README.md`.
//
// - Pages read the same on the repository's site and here. A page links to another one by its label
//   alone, `[Your first budget]`, and ends with where that is on the site: `[Your first budget]:
//   first_budget.md`. Here `labels.md` stands before each page, with the same labels and the
//   modules. Of two definitions of a label, Markdown takes the first.
// - Items of the library stand in the text as code, `Budget`. The list below has those that become
//   links, in a last line that only this documentation has.
// - An example that runs in the reader's crate as it stands is marked `rust,test_harness`: then
//   `cargo test --doc` runs its tests, too. One that needs another crate is marked `rust,ignore`,
//   and runs in `tests/clients`: in `guide`, if its page is listed there, or in `moving`.
// - The first example of a page whose report is shown is run by `tests/clients/guide`, too, which
//   compares the report.

#![doc = include_str!("labels.md")]
#![doc = include_str!("README.md")]

macro_rules! pages {
    ($($page:ident: $items:literal,)*) => {
        $(
            #[doc = include_str!("labels.md")]
            #[doc = include_str!(concat!(stringify!($page), ".md"))]
            #[doc = concat!("\nIn the API: ", $items, ".")]
            pub mod $page {}
        )*
    };
}

pages! {
    first_budget: "[`alloc_budget`](crate::alloc_budget), [`ModAlloc`](crate::ModAlloc)",
    reading_a_report: "[`Exceeded`](crate::Exceeded), [`AllocStats`](crate::AllocStats)",
    choosing_a_number:
        "[`alloc_budget`](crate::alloc_budget), [`assert_allocs!`](crate::assert_allocs), \
        [`assert_no_alloc!`](crate::assert_no_alloc), [`Budget`](crate::Budget)",
    recorded_numbers: "[`Budget::recorded`](crate::Budget::recorded)",
    growth:
        "[`assert_growth!`](crate::assert_growth), [`Growth`](crate::Growth), \
        [`Order`](crate::Order)",
    warm_up: "[`Budget::warmup`](crate::Budget::warmup), [`Budget::runs`](crate::Budget::runs)",
    threads_and_tasks:
        "[`AllocScope::current`](crate::AllocScope::current), \
        [`ScopeHandle`](crate::ScopeHandle), \
        [`Budget::check_future`](crate::Budget::check_future)",
    harnesses: "[`alloc_budget`](crate::alloc_budget)",
    leaks: "[`Budget::max_retained`](crate::Budget::max_retained)",
    running_programs:
        "[`assert_no_alloc!`](crate::assert_no_alloc), [`permit`](crate::permit), \
        [`uncounted`](crate::uncounted), [`measure`](crate::measure)",
    untrusted_input: "[`Budget::max_block_bytes`](crate::Budget::max_block_bytes)",
    snapshots:
        "[`AllocScope::with_call_sites`](crate::AllocScope::with_call_sites), \
        [`AllocScope::call_sites`](crate::AllocScope::call_sites)",
    profiles:
        "[`Profiler`](crate::Profiler), \
        [`AllocScope::with_heap_profile`](crate::AllocScope::with_heap_profile)",
    other_allocators: "[`ModAlloc::with`](crate::ModAlloc::with)",
    libraries: "[`alloc_budget`](crate::alloc_budget)",
    what_is_counted: "[`AllocStats`](crate::AllocStats), [`ModAlloc`](crate::ModAlloc)",
    ci: "[`Budget::recorded`](crate::Budget::recorded)",
    costs: "[`Budget::call_sites`](crate::Budget::call_sites)",
    coming_from: "[`measure`](crate::measure), [`Budget`](crate::Budget), \
        [`AllocStats`](crate::AllocStats)",
    troubleshooting: "[`Budget`](crate::Budget), [`ModAlloc`](crate::ModAlloc)",
}

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
//   `cargo test --doc` runs its tests, too. One that needs another crate is marked `rust,ignore`.

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
    coming_from: "[`measure`](crate::measure), [`Budget`](crate::Budget), \
        [`AllocStats`](crate::AllocStats)",
    first_budget: "[`alloc_budget`](crate::alloc_budget), [`ModAlloc`](crate::ModAlloc)",
    troubleshooting: "[`Budget`](crate::Budget), [`ModAlloc`](crate::ModAlloc)",
}

//! Cold: `CallSites::to_dhat_json`.

use super::document;
use crate::call_sites::CallSites;
use crate::ignored::Ignored;

impl CallSites {
    /// The file that DHAT's viewer opens: see [`dhat`](crate::dhat), which says what is in it.
    /// Needs the feature `dhat-compat`.
    ///
    /// It is complete where somebody asked for a heap profile: for a scope by
    /// [`AllocScope::with_heap_profile`](crate::AllocScope::with_heap_profile), for a
    /// [`Profiler`](crate::Profiler) (of those that overlap, for the first four), and for a budget
    /// that limits the peak, or was broken while `MOD_ALLOC_DHAT` was set. Of other scopes and
    /// budgets the allocations alone are known, without lifetimes and without what was live when.
    ///
    /// Lifetimes and live blocks go by the identity of each block, wherever it is freed or grows:
    /// where that happens in [`uncounted`](crate::uncounted), or on a thread that is not attached,
    /// a point may have more bytes at a time than in total.
    ///
    /// Names and lines are looked up anew, which takes some milliseconds.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::AllocScope;
    ///
    /// let scope = AllocScope::with_heap_profile();
    /// let text = String::from("abc");
    /// let json = scope.call_sites().to_dhat_json();
    /// assert!(json.contains(r#""tb":3,"tbk":1,"#));
    /// # drop(text);
    /// ```
    #[must_use]
    pub fn to_dhat_json(&self) -> String {
        let profile = self.data().dhat.as_deref();
        let json = Ignored::new(|at_work| {
            profile.map_or_else(String::new, |profile| document::text(at_work, profile))
        });
        String::clone(&json) // The user's own, counted like any other.
    }
}

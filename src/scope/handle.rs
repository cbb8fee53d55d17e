//! Cold: `ScopeHandle`, by which other threads, tasks and jobs add to a scope, and `Attached`, the
//! guard that a thread holds while it does.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::thread;

use super::opened::opened;
use crate::counters;
use crate::open_scopes::SharedScopeRef;
use crate::threads::{self, AttachedThread};
use crate::value::Value;

/// A scope as other threads see it. What they allocate while they are attached counts in it, and in
/// the scopes around it.
///
/// From [`AllocScope::handle`](crate::AllocScope::handle), or from
/// [`AllocScope::current`](crate::AllocScope::current) inside the body of a budget. It is cheap to
/// clone, and can be sent anywhere.
///
/// | what runs | attach it by |
/// |---|---|
/// | `std::thread::spawn`, `scope.spawn` | [`wrap`](Self::wrap) around its closure |
/// | jobs of rayon or another pool | [`run`](Self::run) in each job |
/// | all that a pool's threads do | [`attach_thread`](Self::attach_thread) in its start handler |
/// | tasks of tokio or another executor | [`instrument`](Self::instrument) around the future |
/// | a stretch of code | [`attach`](Self::attach) |
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::AllocScope;
///
/// let scope = AllocScope::enter();
/// let handle = scope.handle();
/// let worker = std::thread::spawn(handle.wrap(|| vec![1_u8; 1000]));
/// let bytes = worker.join().unwrap();
/// assert!(scope.stats().total_bytes >= 1000);
/// # drop(bytes);
/// ```
///
/// # What is counted
/// - What the thread allocates and frees while it is attached. Each event counts once, however
///   often and by however many handles of the scope the thread is attached. On a thread where the
///   scope counts anyway, as its own, attaching changes nothing.
/// - In a stretch of [`uncounted`](crate::uncounted) nothing, unless it attaches anew inside.
/// - The peak of the scope is that of all its threads together, exact to the event. This costs them
///   an atomic addition an event, so a budget without `max_peak_bytes` does without it.
/// - Call sites of attached threads are in the scope's report, with the chain of calls from where
///   the thread was attached.
///
/// # When the scope ends first
/// Its numbers are what had been counted by then. Threads that are still attached go on, but what
/// they allocate is no longer counted in it. In the scopes around it that are still open it is,
/// until they detach. To attach has no effect any more. The first time that something attaches too
/// late, a line on stderr says so; of what was attached in time and goes on, none does.
///
/// So the end of a scope, or of a budget, should wait for the work that belongs to it: join the
/// threads, await the tasks. The report of a broken budget says how many threads were still
/// attached.
///
/// Where a thread is allocating at the very moment when the scope is read, the numbers may miss its
/// latest events. They miss nothing of a thread that was joined, of a task that was awaited, or of
/// one that has sent a message after its work.
pub struct ScopeHandle {
    scope: SharedScopeRef,
}

impl ScopeHandle {
    pub(super) fn new(scope: SharedScopeRef) -> Self {
        Self { scope }
    }

    /// Attaches the current thread until the guard is dropped.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// let scope = mod_alloc::AllocScope::enter();
    /// let handle = scope.handle();
    /// std::thread::spawn(move || {
    ///     let not_counted = vec![0_u8; 5000];
    ///     let attached = handle.attach();
    ///     let counted = vec![0_u8; 1000];
    ///     drop(attached);
    /// # std::hint::black_box((not_counted, counted));
    /// })
    /// .join()
    /// .unwrap();
    /// assert!((1000..5000).contains(&scope.stats().total_bytes));
    /// ```
    ///
    /// # Panics
    /// If the system has no memory for it.
    #[track_caller]
    pub fn attach(&self) -> Attached {
        Attached { _thread: self.attach_or_warn("a thread") }
    }

    /// `None` if the scope has ended. `who` is for the line on stderr that says so.
    #[track_caller]
    pub(super) fn attach_or_warn(&self, who: &str) -> Option<AttachedThread> {
        let attached = opened(threads::attach(&self.scope));
        if attached.is_none() {
            self.warn(who);
        }
        attached
    }

    /// The same for a drop, which says nothing and must not panic.
    pub(super) fn attach_quietly(&self) -> Option<AttachedThread> {
        threads::attach(&self.scope).ok().flatten()
    }

    /// Attaches the current thread until it ends, or the scope does: for the start handlers of
    /// thread pools.
    ///
    /// What the pool itself allocates on its threads is counted too. Where exact numbers matter,
    /// let each job [`run`](Self::run). After the end of the scope this has no effect.
    ///
    /// # Panics
    /// As [`attach`](Self::attach).
    #[track_caller]
    pub fn attach_thread(&self) {
        opened(threads::attach_for_good(&self.scope));
    }

    /// A closure that runs `work` attached, on whichever thread it is called.
    ///
    /// # Panics
    /// The closure panics as [`run`](Self::run) does.
    #[allow(non_camel_case_types)]
    pub fn wrap<R, F, for_a_future_use_instrument>(&self, work: F) -> impl FnOnce() -> R
    where
        F: FnOnce() -> R,
        R: Value<for_a_future_use_instrument>,
    {
        let handle = self.clone();
        move || handle.run(work)
    }

    /// Runs `work` attached: for jobs of a pool. On a thread where the scope counts already, each
    /// event still counts once.
    ///
    /// A future that `work` only makes would be polled unattached, so it does not compile as its
    /// value: [`instrument`](Self::instrument) it, or return it in a tuple.
    ///
    /// # Panics
    /// As [`attach`](Self::attach), and as `work` does.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn run<R, F, for_a_future_use_instrument>(&self, work: F) -> R
    where
        F: FnOnce() -> R,
        R: Value<for_a_future_use_instrument>,
    {
        let _attached = self.attach_or_warn("a job");
        work()
    }

    /// Says, once for a scope, that something came too late to be counted.
    #[cold]
    fn warn(&self, who: &str) {
        if self.scope.warns_first() && !thread::panicking() {
            counters::ignored(|_| {
                eprintln!(
                    "mod-alloc: {who} was to be counted in a scope that has ended, and is not \
                     counted (thread {:?}). Join the threads and await the tasks of a scope or a \
                     budget before its end",
                    thread::current().name().unwrap_or("without a name")
                );
            });
        }
    }
}

impl Clone for ScopeHandle {
    fn clone(&self) -> Self {
        Self { scope: self.scope.clone() }
    }
}

// The counters that it points at are whole after any panic.
impl UnwindSafe for ScopeHandle {}
impl RefUnwindSafe for ScopeHandle {}

impl fmt::Debug for ScopeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeHandle").finish_non_exhaustive()
    }
}

/// Keeps a thread attached to a scope: see [`ScopeHandle::attach`].
///
/// It stays on its thread:
/// ```compile_fail,E0277
/// # fn attached(handle: mod_alloc::ScopeHandle) {
/// let attached = handle.attach();
/// std::thread::spawn(move || drop(attached));
/// # }
/// ```
#[must_use = "a thread is attached until this is dropped: bind it to a variable"]
pub struct Attached {
    /// `None` if the scope had ended.
    _thread: Option<AttachedThread>,
}

impl UnwindSafe for Attached {}
impl RefUnwindSafe for Attached {}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").finish_non_exhaustive()
    }
}

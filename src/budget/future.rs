//! Cold: holds a future to a budget. What it does is counted while it is polled, on whichever
//! thread that is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{ready, Context, Poll};
use std::thread;

use super::builder::Budget;
use super::exceeded::Exceeded;
use super::origin::Origin;
use super::{enforce, held};
use crate::installed;
use crate::pinned::pin_project;
use crate::scope::Metered;
use crate::sys::AtomicU64;
use crate::threads;
use crate::value::Value;

impl Budget {
    /// Awaits `future`, and returns its output if the budget holds.
    ///
    /// What its polls allocate is counted, on whichever threads they run. Other tasks in between do
    /// not count, nor does making the future. A future that is dropped before it is done is never
    /// checked.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::Budget;
    ///
    /// async fn greet() -> Result<String, mod_alloc::Exceeded> {
    ///     Budget::new().max(1).check_future(async { "hello".to_string() }).await
    /// }
    /// # use std::task::{Context, Poll, Waker};
    /// # struct Noop; impl std::task::Wake for Noop { fn wake(self: std::sync::Arc<Self>) {} }
    /// # let waker = Waker::from(std::sync::Arc::new(Noop));
    /// # let mut greeting = Box::pin(greet());
    /// # let mut context = Context::from_waker(&waker);
    /// # let polled = std::future::Future::poll(greeting.as_mut(), &mut context);
    /// # assert!(matches!(polled, Poll::Ready(Ok(text)) if text == "hello"));
    /// ```
    ///
    /// # Errors
    /// If it does not hold: what was measured. The output is dropped.
    ///
    /// # Panics
    /// As the type's documentation says, and as the future does.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn check_future<F, for_a_future_in_a_future_await_it_first>(
        self,
        future: F,
    ) -> CheckFuture<F>
    where
        F: Future,
        F::Output: Value<for_a_future_in_a_future_await_it_first>,
    {
        CheckFuture { counted: Counted::new(self, Origin::method::<F, F::Output>(), future, 0) }
    }

    /// Awaits `future`, and returns its output.
    ///
    /// Counts as [`check_future`](Self::check_future) does.
    ///
    /// # Panics
    /// If the budget does not hold, with the report, when the future is done; as the type's
    /// documentation says; and as the future does.
    #[track_caller]
    #[allow(non_camel_case_types)]
    pub fn enforce_future<F, for_a_future_in_a_future_await_it_first>(
        self,
        future: F,
    ) -> EnforceFuture<F>
    where
        F: Future,
        F::Output: Value<for_a_future_in_a_future_await_it_first>,
    {
        EnforceFuture {
            counted: Counted::new(self, Origin::method::<F, F::Output>(), future, 0).enforced(),
        }
    }
}

/// Resolves to the output and, if the budget was broken, to the error.
pub(crate) struct Counted<F> {
    metered: Metered<F>,
    budget: Budget,
    origin: Origin,
    /// Whether the caller panics if there is an error. Then there is none while a panic unwinds.
    is_enforced: bool,
}

pin_project!(Counted { metered: Metered<F> });

impl<F: Future> Counted<F> {
    #[track_caller]
    pub(crate) fn new(mut budget: Budget, origin: Origin, future: F, tag: u64) -> Self {
        installed::require();
        budget.begin(&origin);
        let metered = Metered::new(future, tag, budget.wants(&origin));
        Self { metered, budget, origin, is_enforced: false }
    }

    pub(crate) fn enforced(self) -> Self {
        Self { is_enforced: true, ..self }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = (F::Output, Option<Exceeded>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (budget, origin, is_enforced) = (self.budget, self.origin, self.is_enforced);
        let (output, measurement) = ready!(self.project().poll(cx));
        if is_enforced && thread::panicking() {
            return Poll::Ready((output, None));
        }
        if budget.holds_at_once(&measurement.measured) {
            held::run(&budget, &origin, &measurement.measured, || measurement.elsewhere);
            return Poll::Ready((output, None));
        }
        Poll::Ready((output, Exceeded::of_run(budget, measurement, origin, "this future")))
    }
}

/// The future of [`Budget::check_future`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct CheckFuture<F> {
    counted: Counted<F>,
}

pin_project!(CheckFuture { counted: Counted<F> });

impl<F: Future> Future for CheckFuture<F> {
    type Output = Result<F::Output, Exceeded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (output, exceeded) = ready!(self.project().poll(cx));
        Poll::Ready(exceeded.map_or(Ok(output), Err))
    }
}

/// The future of [`Budget::enforce_future`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct EnforceFuture<F> {
    counted: Counted<F>,
}

pin_project!(EnforceFuture { counted: Counted<F> });

impl<F: Future> Future for EnforceFuture<F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (output, exceeded) = ready!(self.project().poll(cx));
        if let Some(exceeded) = exceeded {
            enforce::fail(exceeded);
        }
        Poll::Ready(output)
    }
}

impl<F> fmt::Debug for CheckFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckFuture").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for EnforceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnforceFuture").finish_non_exhaustive()
    }
}

/// Ends the count of a metered future from within, when it is dropped. What the future drops after
/// its body, such as the arguments of an `async fn`, does not count.
///
/// It goes by the tag of the future, not by a flag of the thread. A future that is cancelled inside
/// the poll of another one finds no open scope with its tag, and ends nothing.
#[derive(Debug)]
#[must_use]
pub struct Closer {
    tag: u64,
}

impl Closer {
    pub(crate) fn new() -> Self {
        static TAGS: AtomicU64 = AtomicU64::new(1);
        Self { tag: TAGS.fetch_add(1, Relaxed) }
    }

    pub(crate) fn tag(&self) -> u64 {
        self.tag
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        threads::freeze(self.tag);
    }
}

//! Hot: `SideStack`: there is none. Windows wants to know of each change of stacks, and gives no
//! thread as little of a stack as would make one necessary: what is to be done there is done on
//! the thread's own.
//!
//! Relies on: nothing, for the one unsafe function does nothing.

#[derive(Clone, Copy)]
pub(crate) struct SideStack(());

impl SideStack {
    pub(crate) const FOR_RECORDING: usize = 0;

    pub(crate) fn allocate(_size: usize) -> Self {
        Self(())
    }

    /// # Safety
    /// None: there is nothing to give back.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn free(self) {}

    pub(crate) fn call<F: FnMut()>(self, work: &mut F) {
        work();
    }
}

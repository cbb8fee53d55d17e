//! Cold: `pin_project!`, by which a future that wraps another one reaches it while both are pinned.
//!
//! Relies on, of each struct that it is used for:
//! - Nothing else reaches the wrapped future once the struct is pinned. Its field is private to one
//!   file, where nothing but this macro is unsafe.
//! - The future is not moved when the struct is dropped. There is no `Drop` but the one that the
//!   macro makes: another one would not compile, nor would one beside `NoDrop`.
//! - The struct is `Unpin` only if the future is: so says the macro, and another `Unpin` would not
//!   compile.

/// A struct that has no `Drop`: one that had would have this trait twice.
#[allow(dead_code)] // To have it is all.
pub(crate) trait NoDrop {}

#[allow(drop_bounds)]
impl<T: Drop> NoDrop for T {}

/// Gives a struct over `F` a function `project`. It lends the first of the fields that are named
/// here pinned, as the struct is, and the others as they are.
///
/// With `drop within`, the field is dropped while the value is held that `Self::name` returns.
macro_rules! pin_project {
    ($owner:ident { $pinned:ident: ManuallyDrop<F> }, drop within $name:ident) => {
        #[allow(unsafe_code)]
        impl<F> $owner<F> {
            fn project(self: Pin<&mut Self>) -> Pin<&mut F> {
                // SAFETY: pinned as the struct is, until it is dropped: see the top of this file.
                unsafe { self.map_unchecked_mut(|this| &mut *this.$pinned) }
            }
        }

        #[allow(unsafe_code)]
        impl<F> Drop for $owner<F> {
            fn drop(&mut self) {
                let _within = self.$name();
                // SAFETY: the struct is being dropped, once: nothing uses the field after this.
                unsafe { ManuallyDrop::drop(&mut self.$pinned) }
            }
        }

        impl<F: Unpin> Unpin for $owner<F> {}
    };
    ($owner:ident { $pinned:ident: $type:ty $(, $field:ident: $of_field:ty)* }) => {
        #[allow(unsafe_code)]
        impl<F> $owner<F> {
            #[allow(unused_parens)] // Without other fields it is no tuple.
            fn project(self: Pin<&mut Self>) -> (Pin<&mut $type> $(, &mut $of_field)*) {
                // SAFETY: nothing is moved out of it: its fields are lent.
                let this = unsafe { self.get_unchecked_mut() };
                // SAFETY: pinned as the struct is, until it is dropped: see the top of this file.
                let pinned = unsafe { Pin::new_unchecked(&mut this.$pinned) };
                (pinned $(, &mut this.$field)*)
            }
        }

        impl<F> $crate::pinned::NoDrop for $owner<F> {}

        impl<F: Unpin> Unpin for $owner<F> {}

        // The pinned field is `Unpin`, too, wherever the struct is.
        #[allow(dead_code)]
        const _: () = {
            fn is_unpin<T: Unpin>() {}
            fn field_is<F: Unpin>() {
                is_unpin::<$type>();
            }
        };
    };
}
pub(crate) use pin_project;

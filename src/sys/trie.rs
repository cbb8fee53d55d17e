//! Hot: `Trie`, a set that any thread searches and adds to at any time, without a lock. It only
//! grows: its members live for ever.
//!
//! In plain words: members are found by the bits of their hashes, first in a table of roots, then
//! by two bits a level, for each member has four links to others. A new one is put where there is
//! none yet. Equal hashes go one below the other; whoever searches says which of them it is.

use super::link::Link;

/// With a power of two of roots.
pub(crate) struct Trie<T, const ROOTS: usize> {
    roots: [Link<T>; ROOTS],
}

pub(crate) trait Member: Sync + Sized + 'static {
    /// Its links to others.
    fn below(&self) -> &[Link<Self>; 4];
}

impl<T: Member, const ROOTS: usize> Trie<T, ROOTS> {
    const ROOT_BITS: u32 = ROOTS.trailing_zeros();

    #[allow(clippy::declare_interior_mutable_const)] // A template.
    pub(crate) const NEW: Self = Self { roots: [Link::NONE; ROOTS] };

    /// The member of this hash that `is_it`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&'static T> {
        // No panic: the first bits of a hash, and as many links as they can say.
        let mut link = &self.roots[(hash >> (64 - Self::ROOT_BITS)) as usize];
        let mut bits = hash << Self::ROOT_BITS;
        while let Some(member) = link.get() {
            if is_it(member) {
                return Some(member);
            }
            // No panic: two bits, and four links.
            link = &member.below()[(bits >> 62) as usize];
            bits <<= 2;
        }
        None
    }

    /// Adds a member of this hash. If another thread was first, its own is the answer, and `new` is
    /// not used.
    pub(crate) fn insert(
        &self,
        hash: u64,
        new: &'static T,
        is_it: impl Fn(&T) -> bool,
    ) -> Result<(), &'static T> {
        // No panic: as above.
        let mut link = &self.roots[(hash >> (64 - Self::ROOT_BITS)) as usize];
        let mut bits = hash << Self::ROOT_BITS;
        while !link.fill(new) {
            let Some(member) = link.get() else { continue };
            if is_it(member) {
                return Err(member);
            }
            // No panic: as above.
            link = &member.below()[(bits >> 62) as usize];
            bits <<= 2;
        }
        Ok(())
    }

    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&'static T)) {
        self.roots.iter().for_each(|root| visit_below(root, visit));
    }
}

fn visit_below<T: Member>(link: &Link<T>, visit: &mut dyn FnMut(&'static T)) {
    if let Some(member) = link.get() {
        visit(member);
        member.below().iter().for_each(|link| visit_below(link, visit));
    }
}

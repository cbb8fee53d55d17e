//! Cold: `Resolver`, which makes frames of the symbols at an address.

use std::sync::Arc;

use super::code::{Build, Owner};
use super::frame::{Frame, FrameParts};
use super::names;
use super::source::Sources;
use crate::symbolize::names::{readable, short_name};
use crate::symbolize::{Place, Symbol};

/// What is at one address.
pub(super) struct Resolved {
    /// Innermost first.
    pub(super) frames: Vec<Numbered>,
    /// How many of the frames, the innermost, are the allocator. 0 for nearly all addresses.
    pub(super) in_allocator: usize,
}

/// A frame, and a number that is the same for all that read the same: it is sooner compared than
/// they are.
pub(super) struct Numbered {
    pub(super) frame: Frame,
    pub(super) wording: usize,
}

/// Makes frames of symbols.
pub(super) struct Resolver {
    build: Build,
    /// Where the user's files are, if not where the compiler says.
    moved_root: Option<String>,
    sources: Sources,
}

impl Resolver {
    pub(super) fn new(build: Build, moved_root: Option<String>) -> Self {
        Self { build, moved_root, sources: Sources::default() }
    }

    pub(super) fn resolved(&mut self, place: &Place) -> Resolved {
        let numbered = |parts| Numbered { frame: Frame { parts: Arc::new(parts) }, wording: 0 };
        match place {
            Place::Known(symbols) => {
                let frames = symbols.iter().map(|symbol| numbered(self.parts(symbol)));
                let frames: Vec<Numbered> = frames.collect();
                let is_shim = |there: &Numbered| names::is_allocator_shim(&there.frame.parts.name);
                let outermost = frames.iter().rposition(is_shim);
                Resolved { frames, in_allocator: outermost.map_or(0, |outermost| outermost + 1) }
            }
            Place::Unknown { module, offset } => {
                let module = Some((module.clone(), *offset));
                let parts = FrameParts { module, ..FrameParts::default() };
                Resolved { frames: vec![numbered(parts)], in_allocator: 0 }
            }
        }
    }

    fn parts(&mut self, symbol: &Symbol) -> FrameParts {
        let function = symbol.function.as_deref().map(readable);
        let short = function.as_deref().map(short_name);
        let krate = short.and_then(|short| short.krate);
        let path = symbol.file.as_deref();
        let owner = self.build.owner(function.as_deref(), krate, path);
        let is_closure = short.is_some_and(|short| short.is_closure);
        let name = short.map_or("", |short| short.name);
        let name = if names::is_initialiser(name) { "thread_local!" } else { name };
        let (file, path) = match (path, owner) {
            (Some(path), Owner::User) => {
                let file = self.build.relative(path);
                let moved = self.moved_root.as_ref().map(|root| format!("{root}/{file}"));
                (Some(file), Some(moved.unwrap_or_else(|| path.to_owned())))
            }
            _ => (path.map(str::to_owned), None),
        };
        // An inlined closure may come without the path to it.
        let is_nameless = name.is_empty() && owner == Owner::User;
        let line = symbol.line.filter(|line| *line > 0);
        let by_source = match (&path, line) {
            (Some(path), Some(line)) if is_nameless => {
                self.sources.item_at(path, line, symbol.column).map(|item| item.name.to_owned())
            }
            _ => None,
        };
        let is_name_unread = match &path {
            Some(path) => is_nameless && by_source.is_none() && !self.sources.can_be_read(path),
            None => false,
        };
        let name = by_source.unwrap_or_else(|| name.to_owned());
        FrameParts {
            name,
            function,
            file,
            line,
            column: symbol.column.filter(|_| line.is_some()),
            owner,
            is_closure: is_closure || is_nameless,
            is_name_unread,
            is_made_by_macro: false,
            path,
            module: None,
        }
    }
}

//! Cold: `Resolver`, which makes frames of the symbols at an address.

use std::sync::Arc;

use super::code::{Build, FileOwner, Owner};
use super::frame::FrameParts;
use super::names;
use super::source::Sources;
use crate::index::{hash_of_text, Index};
use crate::symbolize::names::{readable, short_name};
use crate::symbolize::{Place, Symbol};

/// Makes frames of symbols.
pub(super) struct Resolver {
    build: Build,
    /// Where the user's files are, if not where the compiler says.
    moved_root: Option<String>,
    sources: Sources,
    /// And the paths that the compiler wrote down.
    files: Vec<(Arc<str>, File)>,
    /// Where a file is, by the hash of its path.
    places: Index,
    /// That of the frame before, most often.
    last: Option<(Arc<str>, File)>,
}

/// A source file of some frames.
#[derive(Clone)]
struct File {
    owner: FileOwner,
    /// From the root, if it may be the user's.
    relative: Arc<str>,
    /// Where it can be read.
    path: Arc<str>,
}

impl Resolver {
    pub(super) fn new(build: Build, moved_root: Option<String>) -> Self {
        let (sources, files) = (Sources::default(), Vec::new());
        Self { build, moved_root, sources, files, places: Index::default(), last: None }
    }

    /// What is at an address, innermost first.
    pub(super) fn frames(&mut self, place: &Place) -> Vec<FrameParts> {
        match place {
            Place::Known(symbols) => symbols.iter().map(|symbol| self.parts(symbol)).collect(),
            Place::Unknown { module, offset } => {
                let module = Some((module.clone(), *offset));
                vec![FrameParts { module, ..FrameParts::default() }]
            }
            Place::Unasked { module, offset, why } => {
                let module = Some((module.clone(), *offset));
                vec![FrameParts { module, unasked: Some(why), ..FrameParts::default() }]
            }
        }
    }

    fn file(&mut self, path: &Arc<str>) -> File {
        match &self.last {
            Some((last, file)) if Arc::ptr_eq(last, path) => return file.clone(),
            _ => {}
        }
        let (hash, next) = (hash_of_text(path), self.files.len());
        let is_it = |at: usize| self.files[at].0 == *path;
        let known = self.places.find_or_insert_hashed(hash, next, &is_it);
        if known.is_none() {
            self.files.push((path.clone(), self.new_file(path)));
        }
        let (path, file) = &self.files[known.unwrap_or(next)];
        self.last = Some((path.clone(), file.clone()));
        file.clone()
    }

    fn new_file(&self, path: &Arc<str>) -> File {
        let relative = self.build.relative(path);
        let moved = self.moved_root.as_ref().map(|root| format!("{root}/{relative}").into());
        let owner = self.build.file_owner(path);
        File { owner, relative: relative.into(), path: moved.unwrap_or_else(|| path.clone()) }
    }

    fn parts(&mut self, symbol: &Symbol) -> FrameParts {
        let function = symbol.function.as_deref().map(readable);
        let short = function.as_deref().map(short_name);
        let krate = short.and_then(|short| short.krate);
        let of_file = symbol.file.as_ref().map(|path| self.file(path));
        let owner =
            Build::owner(function.as_deref(), krate, of_file.as_ref().map(|file| file.owner));
        let is_closure = short.is_some_and(|short| short.is_closure);
        let name = short.map_or("", |short| short.name);
        let name = if names::is_initialiser(name) { "thread_local!" } else { name };
        let (file, path) = match of_file {
            Some(file) if owner == Owner::User => (Some(file.relative), Some(file.path)),
            _ => (symbol.file.clone(), None),
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
            unasked: None,
        }
    }
}

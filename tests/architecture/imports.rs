//! Which file imports which, computed from the sources: from `use` trees and from paths in code.
//!
//! - A name counts for the file that defines it, wherever it is re-exported on the way.
//! - To import a module is no import yet: what is then named through it is one. `mod x;` is none.
//! - A re-export is an import of the file that it stands in.
//! - A macro without a path counts for the file that defines it, if that is the only one.
//! - What a macro makes is not seen. Methods are not seen either, for they are called without a
//!   path.

use crate::modules::Crates;
use std::collections::{BTreeMap, BTreeSet};

/// For each file, the files that it imports, with the names that it takes from them.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

enum Target {
    Module(usize),
    Item(usize, String),
}

impl Crates {
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (at, module) in self.modules.iter().enumerate() {
            let of_file = imports.entry(module.file.clone()).or_default();
            let mut add = |file: &str, name: String| {
                if file != module.file {
                    of_file.entry(file.to_owned()).or_default().insert(name);
                }
            };
            let used = module.uses.iter().map(|(_, path)| (path, false));
            for (path, is_code) in used.chain(module.paths.iter().map(|path| (path, true))) {
                let targets = if path.len() == 1 {
                    self.by_globs(at, &path[0], &mut BTreeSet::new())
                } else {
                    self.resolve(at, path, &mut BTreeSet::new())
                };
                for target in targets {
                    match target {
                        Target::Item(module, name) => add(&self.modules[module].file, name),
                        // Code that names a module, and nothing in it, means something in it.
                        Target::Module(module) if is_code => {
                            add(&self.modules[module].file, path.join("::"));
                        }
                        Target::Module(_) => {}
                    }
                }
            }
            for name in &module.macros_called {
                match self.macros.get(name).map(|files| files.iter().collect::<Vec<_>>()) {
                    Some(files) if files.len() == 1 => add(files[0], format!("{name}!")),
                    _ => {}
                }
            }
        }
        imports
    }

    /// What a path means in a module. It is nothing if it leads out of the crates.
    fn resolve(&self, from: usize, path: &[String], seen: &mut Seen) -> Vec<Target> {
        let mut targets = match path[0].as_str() {
            "crate" => vec![Target::Module(self.root(from))],
            "self" => vec![Target::Module(from)],
            "super" => self.modules[from].parent.map(Target::Module).into_iter().collect(),
            name => self.look_up(from, name, seen),
        };
        if let (true, Some(&root)) = (targets.is_empty(), self.libraries.get(&path[0])) {
            targets.push(Target::Module(root));
        }
        for name in &path[1..] {
            let step = |target: &Target| match *target {
                // The next name is that of a constant or a function which belongs to the item.
                Target::Item(module, ref item) => vec![Target::Item(module, item.clone())],
                Target::Module(module) if name == "super" => {
                    self.modules[module].parent.map(Target::Module).into_iter().collect()
                }
                Target::Module(module) if name == "self" || name == "*" => {
                    vec![Target::Module(module)]
                }
                Target::Module(module) => self.look_up(module, name, &mut seen.clone()),
            };
            // If no module of this path has it, a macro has made it there.
            let made = |target: &Target| match *target {
                Target::Module(module) if !self.leads_out(module, name) => {
                    Some(Target::Item(module, name.clone()))
                }
                _ => None,
            };
            let found: Vec<_> = targets.iter().flat_map(step).collect();
            targets =
                if found.is_empty() { targets.iter().filter_map(made).collect() } else { found };
        }
        targets
    }

    /// Whether a name of a module is one that it has from another crate.
    fn leads_out(&self, module: usize, name: &str) -> bool {
        self.modules[module].uses.iter().any(|(alias, _)| alias == name)
    }

    fn look_up(&self, module: usize, name: &str, seen: &mut Seen) -> Vec<Target> {
        let is_first = seen.insert((module, name.to_owned()));
        let own = &self.modules[module];
        let mut targets = Vec::new();
        targets.extend(own.children.get(name).into_iter().flatten().map(|&at| Target::Module(at)));
        if own.defined.contains(name) {
            targets.push(Target::Item(module, name.to_owned()));
        }
        if !is_first {
            return targets;
        }
        let named = own.uses.iter().chain(&own.exported).filter(|(alias, _)| alias == name);
        for (_, path) in named {
            targets.extend(self.resolve(module, path, seen));
        }
        if targets.is_empty() {
            targets = self.by_globs(module, name, seen);
        }
        targets
    }

    /// What a name means that only a `use a::*` can have brought in.
    fn by_globs(&self, module: usize, name: &str, seen: &mut Seen) -> Vec<Target> {
        let own = &self.modules[module];
        let is_own = own.defined.contains(name) || self.leads_out(module, name);
        if is_own || own.children.contains_key(name) {
            return Vec::new();
        }
        let mut targets = Vec::new();
        for (_, path) in own.uses.iter().filter(|(alias, _)| alias == "*") {
            for target in self.resolve(module, path, seen) {
                if let Target::Module(other) = target {
                    targets.extend(self.look_up(other, name, seen));
                }
            }
        }
        targets
    }
}

/// The names that are being looked up, so that re-exports in a circle end.
type Seen = BTreeSet<(usize, String)>;

//! Which file imports which, computed from the sources: from `use` trees and from paths in code.
//!
//! - A name counts for the file that defines it, wherever it is re-exported on the way.
//! - To import a module is nothing yet: what is then named through it counts. `mod x;` is nothing.
//! - A re-export is an import of the file that it stands in.
//! - A macro without a path counts for the file that defines it, if that is the only one.
//! - What a macro makes is not seen, nor are methods: one calls them without a path.

use crate::source::{attribute, group_end, Kind, Source, Token};
use std::collections::{BTreeMap, BTreeSet};

/// For each file those that it imports, with what it takes of them.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// A path, a segment an entry.
type Path = Vec<String>;

#[derive(Default)]
struct Module {
    file: String,
    parent: Option<usize>,
    /// A name may be that of several modules, for different systems.
    children: BTreeMap<String, Vec<usize>>,
    /// The names that `use` brings in; `*` for all of a module.
    uses: Vec<(String, Path)>,
    /// The macros that `macro_export` puts here, with their way. That is no import.
    exported: Vec<(String, Path)>,
    defined: BTreeSet<String>,
    /// What the code names: paths, and single words, which `use a::*` may have brought in.
    paths: BTreeSet<Path>,
    macros_called: BTreeSet<String>,
}

/// The modules of one or several crates that a folder holds.
#[derive(Default)]
pub(crate) struct Crates {
    modules: Vec<Module>,
    /// The roots that other crates of the folder know by a name.
    libraries: BTreeMap<String, usize>,
    /// Where a macro is defined.
    macros: BTreeMap<String, BTreeSet<String>>,
    missing: Vec<String>,
}

enum Target {
    Module(usize),
    Item(usize, String),
}

impl Crates {
    /// Adds the crate whose root is the file `root`, with all files that its modules are in.
    /// `sources` are the texts by name; what only tests compile is left out if `with_tests` is not.
    pub(crate) fn add(
        &mut self,
        root: &str,
        library: Option<&str>,
        sources: &BTreeMap<String, String>,
        with_tests: bool,
    ) {
        let module = self.modules.len();
        self.modules.push(Module { file: root.to_owned(), ..Module::default() });
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut reader = Reader { crates: self, sources, with_tests };
        reader.read_file(module, folder);
        if let Some(name) = library {
            self.libraries.insert(name.to_owned(), module);
        }
    }

    /// The files that are modules.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.modules.iter().map(|module| module.file.as_str()).collect()
    }

    /// The files that a `mod` promises and that are not there.
    pub(crate) fn missing(&self) -> &[String] {
        &self.missing
    }

    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (at, module) in self.modules.iter().enumerate() {
            let of_file = imports.entry(module.file.clone()).or_default();
            let mut add = |file: &str, name: String| {
                if file != module.file {
                    of_file.entry(file.to_owned()).or_default().insert(name);
                }
            };
            let used = module.uses.iter().map(|(_, path)| path);
            for path in used.chain(&module.paths) {
                let targets = if path.len() == 1 {
                    self.by_globs(at, &path[0], &mut BTreeSet::new())
                } else {
                    self.resolve(at, path, &mut BTreeSet::new())
                };
                for target in targets {
                    if let Target::Item(module, name) = target {
                        add(&self.modules[module].file, name);
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

    /// What a path means in a module: nothing if it leads out of the crates.
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
            let step = |target| match target {
                // Of an item, a constant or a function that belongs to it.
                Target::Item(..) => vec![target],
                Target::Module(module) if name == "super" => {
                    self.modules[module].parent.map(Target::Module).into_iter().collect()
                }
                Target::Module(_) if name == "self" || name == "*" => vec![target],
                Target::Module(module) => {
                    let found = self.look_up(module, name, &mut seen.clone());
                    // What is not found, a macro has made there.
                    let is_made = found.is_empty() && !self.leads_out(module, name);
                    let made = is_made.then(|| Target::Item(module, name.clone()));
                    found.into_iter().chain(made).collect()
                }
            };
            targets = targets.into_iter().flat_map(step).collect();
        }
        targets
    }

    fn root(&self, module: usize) -> usize {
        self.modules[module].parent.map_or(module, |parent| self.root(parent))
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

struct Reader<'a> {
    crates: &'a mut Crates,
    sources: &'a BTreeMap<String, String>,
    with_tests: bool,
}

impl Reader<'_> {
    /// Reads the file of a module; files of its own modules are in `folder`.
    fn read_file(&mut self, module: usize, folder: &str) {
        let file = self.crates.modules[module].file.clone();
        let Some(text) = self.sources.get(&file) else {
            self.crates.missing.push(file);
            return;
        };
        let read = if self.with_tests { Source::whole } else { Source::without_tests };
        self.read(module, folder, &read(text).tokens);
    }

    /// Reads what stands in a module.
    fn read(&mut self, module: usize, folder: &str, tokens: &[Token]) {
        let mut at = 0;
        let mut depth = 0;
        let mut attributes: Vec<&[Token]> = Vec::new();
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        while at < tokens.len() {
            if let Some((content, end, _)) = attribute(tokens, at) {
                attributes.push(content);
                at = end;
                continue;
            }
            let token = &tokens[at];
            let name = text(at + 1);
            match token.text.as_str() {
                _ if token.kind != Kind::Word && token.kind != Kind::Sign => at += 1,
                "pub" => {
                    at += 1;
                    if text(at) == "(" {
                        at = group_end(tokens, at);
                    }
                    continue;
                }
                "mod" if text(at + 2) == ";" => {
                    self.declare(module, folder, name, &attributes);
                    at += 3;
                }
                "mod" if text(at + 2) == "{" => {
                    let end = group_end(tokens, at + 2);
                    let child = self.child(module, name, &self.crates.modules[module].file.clone());
                    let folder = format!("{folder}/{name}");
                    self.read(child, &folder, &tokens[at + 3..end - 1]);
                    at = end;
                }
                "use" => {
                    at = self.read_use(module, tokens, at + 1, &Vec::new());
                }
                "macro_rules" => {
                    let file = self.crates.modules[module].file.clone();
                    let name = text(at + 2).to_owned();
                    let is_at_root = attributes.iter().any(|words| words[0].is("macro_export"));
                    let home = if is_at_root { self.crates.root(module) } else { module };
                    if home != module {
                        let path = self.path_of(module).chain([name.clone()]).collect();
                        self.crates.modules[home].exported.push((name.clone(), path));
                    }
                    self.crates.modules[module].defined.insert(name.clone());
                    self.crates.macros.entry(name).or_default().insert(file);
                    at += 3;
                }
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static"
                    if depth == 0 && tokens.get(at + 1).is_some_and(Token::is_word) =>
                {
                    let is_name = !["fn", "unsafe", "extern", "async", "mut"].contains(&name);
                    let name = if name == "mut" { text(at + 2) } else { name };
                    if is_name || token.is("static") {
                        self.crates.modules[module].defined.insert(name.to_owned());
                        at += 1;
                    }
                    at += 1;
                }
                "{" | "(" | "[" => {
                    depth += 1;
                    at += 1;
                }
                "}" | ")" | "]" => {
                    depth -= 1;
                    at += 1;
                }
                _ if token.is_word() => {
                    at = self.read_path(module, tokens, at);
                }
                _ => at += 1,
            }
            attributes.clear();
        }
    }

    /// The way to a module from the root of its crate.
    fn path_of(&self, module: usize) -> impl Iterator<Item = String> {
        let mut path = Vec::new();
        let mut at = module;
        while let Some(parent) = self.crates.modules[at].parent {
            let children = &self.crates.modules[parent].children;
            let name = children.iter().find(|(_, modules)| modules.contains(&at));
            path.push(name.expect("a child of its parent").0.clone());
            at = parent;
        }
        path.push("crate".to_owned());
        path.into_iter().rev()
    }

    fn child(&mut self, module: usize, name: &str, file: &str) -> usize {
        let child = self.crates.modules.len();
        let parent = Some(module);
        self.crates.modules.push(Module { file: file.to_owned(), parent, ..Module::default() });
        let children = &mut self.crates.modules[module].children;
        children.entry(name.to_owned()).or_default().push(child);
        child
    }

    /// `mod name;`, whose file is where its name or `#[path]` says; with `cfg_attr`, either.
    fn declare(&mut self, module: usize, folder: &str, name: &str, attributes: &[&[Token]]) {
        let own_file = self.crates.modules[module].file.clone();
        let beside = own_file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut is_by_name = true;
        for content in attributes {
            let path = content.windows(3).find(|words| words[0].is("path") && words[1].is("="));
            if let Some([_, _, path]) = path {
                is_by_name &= content[0].is("cfg_attr");
                let file = below(beside, path.text.trim_matches('"'));
                let child = self.child(module, name, &file);
                let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
                self.read_file(child, folder);
            }
        }
        if is_by_name {
            let folder = below(folder, name);
            let with_mod = format!("{folder}/mod.rs");
            let has_mod = self.sources.contains_key(&with_mod);
            let file = if has_mod { with_mod } else { format!("{folder}.rs") };
            let child = self.child(module, name, &file);
            self.read_file(child, &folder);
        }
    }

    /// A tree of `use` after `prefix`; gives where it ends.
    fn read_use(&mut self, module: usize, tokens: &[Token], mut at: usize, prefix: &Path) -> usize {
        let mut path = prefix.clone();
        let mut alias = None;
        while at < tokens.len() {
            let token = &tokens[at];
            if token.is("{") {
                let end = group_end(tokens, at);
                at += 1;
                while at < end - 1 {
                    at = self.read_use(module, &tokens[..end - 1], at, &path);
                    at += usize::from(tokens[at].is(","));
                }
                return end;
            }
            if token.is(",") || token.is(";") {
                break;
            }
            if token.is("as") {
                alias = tokens.get(at + 1).map(|token| token.text.clone());
                at += 1;
            } else if token.is("*") || (token.is_word() && (path.is_empty() || !token.is("self"))) {
                path.push(token.text.clone());
            }
            at += 1;
        }
        if let Some(last) = path.last() {
            let alias = alias.unwrap_or_else(|| last.clone());
            self.crates.modules[module].uses.push((alias, path));
        }
        at
    }

    /// A path in code, or a single word; gives where it ends.
    fn read_path(&mut self, module: usize, tokens: &[Token], mut at: usize) -> usize {
        let is_method = at > 0 && tokens[at - 1].is(".");
        let is_global = at > 0 && tokens[at - 1].is("::");
        let mut path = vec![tokens[at].text.clone()];
        at += 1;
        while at + 1 < tokens.len() && tokens[at].is("::") && tokens[at + 1].is_word() {
            path.push(tokens[at + 1].text.clone());
            at += 2;
        }
        let own = &mut self.crates.modules[module];
        let is_called = tokens.get(at).is_some_and(|token| token.is("!"));
        let is_compared = tokens.get(at + 1).is_some_and(|token| token.is("="));
        if path.len() == 1 && is_called && !is_compared {
            own.macros_called.insert(path.remove(0));
        } else if !is_method && !is_global {
            own.paths.insert(path);
        }
        at
    }
}

/// A file below a folder; `..` leads out of it.
fn below(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

//! The modules of crates and what stands in them, read from the sources: names that are defined,
//! `use` trees, and paths in code. It resolves none of them.

use crate::source::{attribute, group_end, Kind, Source, Token};
use std::collections::{BTreeMap, BTreeSet};

/// A path, as a list of its segments.
pub(crate) type Path = Vec<String>;

#[derive(Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    /// Several modules may have the same name, for different systems.
    pub(crate) children: BTreeMap<String, Vec<usize>>,
    /// The names that `use` brings in, with their paths. `*` is all of a module.
    pub(crate) uses: Vec<(String, Path)>,
    /// The macros that `macro_export` puts here, with their paths. That is no import.
    pub(crate) exported: Vec<(String, Path)>,
    pub(crate) defined: BTreeSet<String>,
    /// What the code names: paths, and single words, which `use a::*` may have brought in.
    pub(crate) paths: BTreeSet<Path>,
    pub(crate) macros_called: BTreeSet<String>,
}

/// The modules of one or several crates that a folder holds.
#[derive(Default)]
pub(crate) struct Crates {
    pub(crate) modules: Vec<Module>,
    /// The roots that other crates of the folder know by a name.
    pub(crate) libraries: BTreeMap<String, usize>,
    /// The files that define a macro of this name.
    pub(crate) macros: BTreeMap<String, BTreeSet<String>>,
    missing: Vec<String>,
}

impl Crates {
    /// Adds the crate whose root is the file `root`, with all files that its modules are in.
    /// `sources` are the texts by file name. Code that only tests compile is read if `with_tests`.
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

    /// The root of the crate of a module.
    pub(crate) fn root(&self, module: usize) -> usize {
        self.modules[module].parent.map_or(module, |parent| self.root(parent))
    }
}

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

    /// The path of a module from the root of its crate.
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

    /// `mod name;`, whose file is where its name or `#[path]` says. With `cfg_attr`, there are
    /// both.
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

    /// Reads a tree of `use` after `prefix`. Returns where it ends.
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

    /// Reads a path in code, or a single word. Returns where it ends.
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

/// A file below a folder. `..` leads out of the folder.
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

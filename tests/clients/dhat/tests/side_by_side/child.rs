//! Runs a program with one of the two, in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::profile::Profile;

#[derive(Clone, Copy)]
pub enum Side {
    Dhat,
    ModAlloc,
}

/// What a program has printed, and the profiles that it has saved, by the names of their files.
pub struct Outcome {
    pub output: String,
    pub errors: String,
    pub profiles: BTreeMap<String, Profile>,
    pub folder: PathBuf,
}

pub struct Running {
    child: Child,
    folder: PathBuf,
    command: String,
}

/// What would change a program's output when the tests are run with it.
const VARIABLES: [&str; 4] =
    ["MOD_ALLOC_BACKTRACE", "MOD_ALLOC_DHAT", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE"];

impl Running {
    /// `test` is a folder that no other test has.
    pub fn start(side: Side, test: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let (program, folder) = match side {
            Side::Dhat => (env!("CARGO_BIN_EXE_with_dhat"), "dhat"),
            Side::ModAlloc => (env!("CARGO_BIN_EXE_with_mod_alloc"), "mod_alloc"),
        };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test).join(folder);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new(program);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.args(arguments).current_dir(&folder).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let line = [&[program], arguments].concat().join(" ");
        Self { child: command.spawn().unwrap(), folder, command: line }
    }

    pub fn finish(self) -> Outcome {
        let Self { child, folder, command } = self;
        let pid = child.id();
        let ended = child.wait_with_output().unwrap();
        let text =
            |bytes| String::from_utf8(bytes).unwrap().replace(folder.to_str().unwrap(), "FOLDER");
        let (output, errors) = (text(ended.stdout), text(ended.stderr));
        assert!(ended.status.success(), "{command}: {}\n{output}\n{errors}", ended.status);
        let mut profiles = BTreeMap::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".json") {
                let file = fs::read_to_string(folder.join(&name)).unwrap();
                let profile = Profile::parse(&file, &command, pid);
                let profile = profile.unwrap_or_else(|error| panic!("{command}: {name}: {error}"));
                profiles.insert(name, profile);
            }
        }
        Outcome { output, errors, profiles, folder }
    }
}

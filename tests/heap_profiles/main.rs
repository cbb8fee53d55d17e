//! Compares heap profiles with a model, in random programs. Their scopes nest, end in any order,
//! and are attached to by another thread; around them are profilers of the whole process and a leak
//! budget. Every number of every program point must be exact, and no other block may be in any
//! profile. There is no harness, since nobody else may allocate.

#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
mod helper;
mod json;
mod model;
#[path = "../common/part_of.rs"]
mod part_of;
#[cfg(unix)]
mod past_the_end;
mod program;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/waker.rs"]
mod waker;

use std::path::Path;

use call_sites_are_here::call_sites_are_here;
use mod_alloc::{dhat, AllocScope, Budget, CallSites, ModAlloc, Profiler};
use model::{Model, Reader};
use part_of::part_of;
use program::{free_all, Program, Step, MAX_SCOPES};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    if !call_sites_are_here() {
        return; // Without call sites, all blocks are at one program point.
    }
    helper::start();
    let (mut programs, mut readings) = (0, 0);
    for seed in 0..part_of(75) {
        let program = Program::random(seed);
        let mut model = Model::default();
        let expected = model.run(&program);
        let mut found = Vec::with_capacity(expected.len());
        let (total, live) = run(&program, &mut found);
        assert_eq!(found.len(), expected.len(), "seed {seed}");
        for ((reader, found), (of, expected)) in found.iter().zip(&expected) {
            assert_eq!(reader, of, "seed {seed}");
            assert_eq!(&json::points(&found.text()), expected, "seed {seed}, {reader:?}");
        }
        assert_eq!((total, live), (model.total(), model.retained()), "seed {seed}");
        programs += 1;
        readings += found.len();
    }
    println!("heap profiles: {programs} random programs, {readings} readings agree");
}

/// What was read. It is made text when nobody counts any more.
enum Found {
    CallSites(CallSites),
    File,
}

const FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/heap_profiles.json");

impl Found {
    fn text(&self) -> String {
        match self {
            Self::CallSites(sites) => sites.to_dhat_json(),
            Self::File => std::fs::read_to_string(Path::new(FILE)).expect("it was written"),
        }
    }
}

/// Runs a program. Returns blocks and bytes: the total of the process, and what the budget says was
/// retained.
fn run(program: &Program, found: &mut Vec<(Reader, Found)>) -> ([u64; 2], [u64; 2]) {
    // Four profilers, three scopes and the budget are the eight that one block can be in.
    let dhat = program.has_dhat.then(|| {
        dhat::Profiler::builder().trim_backtraces(program.max_frames).file_name(FILE).build()
    });
    let profilers = [(); 3].map(|()| Profiler::with_call_sites());
    let budget = Budget::new().max_retained(0).max_retained_bytes(0).call_sites(false);
    let mut scopes = [(); MAX_SCOPES].map(|()| None);
    let exceeded = budget.check(|| steps(program, &mut scopes, found)).err();
    let mut total = [0; 2];
    if dhat.is_some() {
        let stats = dhat::HeapStats::get();
        total = [stats.total_blocks, stats.total_bytes];
    }
    for (at, profiler) in profilers.iter().enumerate() {
        found.push((Reader::Process(at), Found::CallSites(profiler.call_sites())));
    }
    drop((profilers, scopes));
    if let Some(dhat) = dhat {
        drop(dhat);
        found.push((Reader::Dhat, Found::File));
    }
    let live = exceeded.map_or([0; 2], |exceeded| {
        let asked = "it was asked for";
        [exceeded.retained_count().expect(asked), exceeded.retained_bytes().expect(asked)]
    });
    free_all();
    (total, live)
}

fn steps(
    program: &Program,
    scopes: &mut [Option<AllocScope>; MAX_SCOPES],
    found: &mut Vec<(Reader, Found)>,
) {
    let mut read = |at, scope: &AllocScope| {
        found.push((Reader::Scope(at), Found::CallSites(scope.call_sites())));
    };
    for step in &program.steps {
        match *step {
            Step::Open(at) => scopes[at] = Some(AllocScope::with_heap_profile()),
            Step::Close(at) => {
                let scope = scopes[at].take().expect("open");
                read(at, &scope);
            }
            Step::Do { way, job, attach_to } => {
                let handle = attach_to.map(|at| scopes[at].as_ref().expect("it is open").handle());
                way.go(job, handle);
            }
        }
    }
}

//! `MOD_ALLOC_DHAT`: a broken budget writes a DHAT profile, and says where. The variable is read
//! once in a process, so the tests run this binary again with the variable set. What they run is
//! below, and ignored otherwise.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::thread;

use mod_alloc::{alloc_budget, AllocScope, Budget, ModAlloc};

#[path = "common/again.rs"]
mod again;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;

use again::this_binary;
use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// What `test` prints in another process, with the variable set to `value`, and with more
/// variables.
fn output_of(test: &str, value: &str, more: &[(&str, &str)]) -> String {
    let mut again = this_binary();
    again.args(["--exact", &format!("run::{test}"), "--ignored"]);
    again.args(["--nocapture", "--test-threads=1"]);
    again.env("MOD_ALLOC_DHAT", value).env("CARGO_PKG_NAME", "mod-alloc");
    let (_, text) = again::run(again.envs(more.iter().copied()));
    assert!(text.contains("running 1 test"), "{text}");
    text
}

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dhat-budget-{name}"));
    let _ = fs::remove_dir_all(&folder); // An earlier run may have left it.
    folder
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("readable"))).collect();
    names.sort();
    names
}

fn run_in(name: &str, test: &str) -> (PathBuf, String) {
    let folder = folder(name).join("below");
    let output = output_of(test, folder.to_str().expect("UTF-8"), &[]);
    (folder, output)
}

#[test]
fn the_report_names_the_file_and_the_file_has_the_scope() {
    needs_call_sites!();
    let (folder, output) = run_in("attribute", "parses_header");
    let path = folder.join("mod-alloc-dhat_budget-run.parses_header.json");
    let line = format!("\n  DHAT profile: {}\n", path.display());
    assert!(output.contains("allocation budget exceeded: run::parses_header"), "{output}");
    assert!(output.contains(&line) && !output.contains("MOD_ALLOC_DHAT=DIR"), "{output}");
    assert_eq!(names_in(&folder), ["mod-alloc-dhat_budget-run.parses_header.json"]);
    let json = fs::read_to_string(path).expect("it was written");
    assert!(json.contains("\"bklt\":true") && json.contains("parses_header ("), "{json}");
    let points: Vec<&str> = json.lines().filter(|line| line.contains("\"tb\":")).collect();
    let sizes: Vec<&str> = points
        .iter()
        .map(|point| {
            let (total, rest) = point.split_once(",\"tl\":").expect("lifetimes");
            let (_, rest) = rest.split_once(",\"mb\"").expect("a maximum");
            assert_eq!(total.trim_start_matches([' ', '[', ',']), "{\"tb\":300,\"tbk\":2");
            rest
        })
        .collect();
    // The block grew from 100 to 200 bytes, and was freed in the scope.
    assert_eq!(sizes.len(), 1);
    assert!(
        sizes[0].starts_with(":200,\"mbk\":1,\"gb\":200,\"gbk\":1,\"eb\":0,\"ebk\":0,"),
        "{json}"
    );
    assert!(!json.contains("lang_start"), "nothing above the scope: {json}");
}

#[test]
fn of_several_in_one_process_each_has_a_file() {
    needs_call_sites!();
    let (folder, output) = run_in("several", "three_times");
    let stem = "mod-alloc-dhat_budget-run.three_times";
    let names =
        [1, 2, 3].map(|n| if n == 1 { format!("{stem}.json") } else { format!("{stem}-{n}.json") });
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names_in(&folder), sorted);
    for name in names {
        let line = format!("DHAT profile: {}\n", folder.join(&name).display());
        assert_eq!(output.matches(&line).count(), 2, "the same in both texts: {output}");
    }
}

#[test]
fn a_budget_that_holds_writes_none() {
    let (folder, output) = run_in("holds", "holds");
    assert!(output.contains("1 passed") && !folder.exists(), "{output}");
}

#[test]
fn attached_threads_are_in_it() {
    needs_call_sites!();
    let (folder, output) = run_in("attached", "attached");
    let name = &names_in(&folder)[0];
    let json = fs::read_to_string(folder.join(name)).expect("it was written");
    assert!(json.contains("{\"tb\":5000,\"tbk\":1,"), "{output}\n{json}");
    assert!(
        json.contains("\"mb\":5000,\"mbk\":1,\"gb\":5000,\"gbk\":1,\"eb\":5000,\"ebk\":1"),
        "{json}"
    );
}

#[test]
fn a_future_is_in_it() {
    needs_call_sites!();
    let (folder, output) = run_in("future", "future");
    let name = &names_in(&folder)[0];
    let json = fs::read_to_string(folder.join(name)).expect("it was written");
    assert!(
        json.contains("{\"tb\":700,\"tbk\":1,") && json.contains("\"gb\":700,"),
        "{output}\n{json}"
    );
}

#[test]
fn what_keeps_it_from_being_written_is_said() {
    needs_call_sites!();
    let folder = folder("file");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("file");
    fs::write(&file, "").expect("writable");
    let output = output_of("parses_header", file.to_str().expect("UTF-8"), &[]);
    let start = format!("\n  no DHAT profile: writing to {} failed: ", file.display());
    assert!(output.contains(&start), "{output}");

    let output = output_of("parses_header", "", &[]);
    let is_as_unset = output.contains("DHAT profile: MOD_ALLOC_DHAT=DIR\n");
    assert!(is_as_unset && output.contains("allocation budget exceeded"), "{output}");
}

/// Whoever asks for a profile gets one, even if the report shows no call sites.
#[test]
fn it_is_written_without_call_sites_in_the_report_too() {
    needs_call_sites!();
    let folder = folder("off");
    let value = folder.to_str().expect("UTF-8");
    let output = output_of("parses_header", value, &[("MOD_ALLOC_BACKTRACE", "off")]);
    assert!(output.contains("\n  DHAT profile: ") && !output.contains("call sites"), "{output}");
    assert_eq!(names_in(&folder).len(), 1);
}

mod run {
    use super::*;

    #[alloc_budget(max = 1)]
    #[test]
    #[ignore = "another test runs it, in a process of its own"]
    fn parses_header() {
        let mut header = black_box(Vec::<u8>::with_capacity(100));
        header.reserve_exact(200);
    }

    #[test]
    #[ignore = "as above"]
    fn three_times() {
        for _ in 0..3 {
            let budget = Budget::new().max(0).call_sites(false);
            let exceeded = budget.check(|| drop(black_box(vec![1_u8]))).expect_err("it allocates");
            println!("{exceeded}\n\n{exceeded:?}\n");
        }
    }

    #[alloc_budget(max = 1)]
    #[test]
    #[ignore = "as above"]
    fn holds() {
        drop(black_box(vec![1_u8]));
    }

    #[alloc_budget(max = 0)]
    #[test]
    #[ignore = "as above"]
    fn attached() {
        let scope = AllocScope::current().expect("the budget");
        let work = scope.wrap(|| black_box(Vec::<u8>::with_capacity(5_000)));
        std::mem::forget(thread::spawn(work).join().expect("it ends well"));
    }

    #[test]
    #[ignore = "as above"]
    fn future() {
        use std::future::{poll_fn, Future};
        use std::pin::pin;
        use std::task::{Context, Poll};

        let mut held = None;
        let mut polls = 0;
        let future = Budget::new().max(0).check_future(poll_fn(move |_| {
            polls += 1;
            held.get_or_insert_with(|| black_box(Vec::<u8>::with_capacity(700)));
            if polls < 3 {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        }));
        let mut future = pin!(future);
        let waker = crate::waker::idle();
        let mut context = Context::from_waker(&waker);
        let exceeded = loop {
            if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                break result.expect_err("it allocates");
            }
        };
        println!("{exceeded}");
    }
}

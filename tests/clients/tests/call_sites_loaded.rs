//! Call sites while libraries come and go. Constructors allocate under the loader's lock, and one
//! library takes the place of another. The libraries are compiled here, by the C compiler that Rust
//! links with. Each test has a time limit.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::env;
use std::ffi::{c_char, c_int, c_void, CString};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};
use mod_alloc::{uncounted, AllocScope, CallSites, ModAlloc, Profiler};

#[path = "../../common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "../../common/needs_call_sites.rs"]
mod needs_call_sites;

use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc<Waiting> = ModAlloc::with(Waiting);

/// The system's allocator. While it is told to, it waits for a library to be unloaded, though not
/// for ever. It does so when a long list grows, on the thread that symbolises.
struct Waiting;

static WAITS_AT_LONG: AtomicBool = AtomicBool::new(false);
static IS_LONG: AtomicBool = AtomicBool::new(false);
static IS_UNLOADED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_REPORTING: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: it does what the system's allocator does.
unsafe impl GlobalAlloc for Waiting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the rules.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the rules.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let waits = size > 50_000 && WAITS_AT_LONG.load(SeqCst) && !IS_REPORTING.with(Cell::get);
        if waits && !IS_LONG.swap(true, SeqCst) {
            let start = Instant::now();
            while !IS_UNLOADED.load(SeqCst) && start.elapsed() < Duration::from_millis(500) {
                thread::yield_now();
            }
        }
        // SAFETY: the caller keeps the rules.
        unsafe { System.realloc(block, layout, size) }
    }
}

const LIMIT: Duration = Duration::from_secs(60);
const CHILD: &str = "MOD_ALLOC_TEST_CHILD";

/// Runs `work` in a process of its own. `test` is the name of the calling test.
fn in_a_process(test: &str, work: fn()) {
    if env::var_os(CHILD).is_some() {
        return work();
    }
    needs_call_sites!(); // Here, since who asks has a report made, and `work` may want to be first.
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(process::Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{test} failed: {status}");
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{test} hangs: it was ended after {LIMIT:?}");
}

/// Compiles a library from this source.
fn compiled(name: &str, source: &str, options: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let stem = format!("call_sites_{name}_{}", process::id());
    let file = folder.join(format!("{stem}.c"));
    let library = folder.join(format!("{stem}.so"));
    fs::write(&file, source).unwrap();
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-g", "-O1", "-fno-optimize-sibling-calls", "-o"])
        .arg(&library)
        .arg(&file)
        .args(options)
        .arg("-lpthread")
        .status()
        .unwrap();
    assert!(status.success(), "{name} does not compile");
    fs::remove_file(file).unwrap();
    library
}

fn load(path: &Path) -> Library {
    // SAFETY: when they are loaded, the libraries of this file do nothing more than allocate
    // through the program.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.unwrap()
}

type Callback = extern "C" fn(usize);
type Call = extern "C" fn(Callback, usize);

fn function<T: Copy>(library: &Library, name: &str) -> T {
    // SAFETY: every function of these libraries is used with the type that its source gives it.
    *unsafe { library.get::<T>(name.as_bytes()) }.unwrap()
}

extern "C" fn allocate(size: usize) {
    drop(black_box(Vec::<u8>::with_capacity(size)));
}

/// The functions of a site, innermost first.
fn chains(sites: &CallSites) -> Vec<String> {
    let chain = |site: &mod_alloc::Site| {
        let name = |frame: &mod_alloc::Frame| {
            let name = frame.function().unwrap_or("?");
            name.rsplit("::").next().unwrap_or(name).to_owned()
        };
        site.frames().iter().map(name).collect::<Vec<_>>().join(" ")
    };
    sites.sites().iter().map(chain).collect()
}

#[track_caller]
fn assert_agrees(sites: &CallSites, events: u64) {
    let sum: u64 = sites.sites().iter().map(|site| site.alloc_count()).sum();
    assert_eq!((sites.alloc_count(), sum + sites.unattributed_count()), (events, events));
}

extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
}

/// How many frames the system's unwinder finds from here to the start of the thread.
#[inline(never)]
fn depth_by_the_system() -> usize {
    extern "C" fn count(_: *mut c_void, depth: *mut c_void) -> c_int {
        // SAFETY: `depth` below, which nobody else uses now.
        unsafe { *depth.cast::<usize>() += 1 };
        0
    }
    let mut depth = 0_usize;
    // SAFETY: `count` takes what it is given here.
    unsafe { _Unwind_Backtrace(count, (&mut depth as *mut usize).cast()) };
    depth
}

/// Two libraries of the same size, with functions of other names, lengths and frames.
fn two_libraries() -> [PathBuf; 2] {
    let first = "
        typedef void callback(unsigned long);
        __attribute__((noinline)) static void inner_of_first(callback *f, unsigned long n) {
            volatile char room[40]; room[0] = 1; f(n); room[1] = room[0];
        }
        void call(callback *f, unsigned long n) {
            volatile char room[200]; room[0] = 1; inner_of_first(f, n); room[1] = room[0];
        }";
    let second = "
        typedef void callback(unsigned long);
        __attribute__((noinline)) static void innermost_of_second(callback *f, unsigned long n) {
            volatile char room[1000]; room[n % 7] = 1; f(n); room[1] = room[0];
        }
        __attribute__((noinline, optimize(\"no-omit-frame-pointer\")))
        static void inner_of_second(callback *f, unsigned long n) {
            volatile char room[n % 50 + 500]; room[0] = 1;
            innermost_of_second(f, n); room[1] = room[0];
        }
        void call(callback *f, unsigned long n) {
            volatile char room[24]; room[0] = 1; room[2] = 7; room[3] = n;
            inner_of_second(f, n); room[1] = room[0];
        }";
    [compiled("first", first, &[]), compiled("second", second, &[])]
}

/// Loads the libraries in turn, until `rounds` times one lies where the one before lay. `use_it`
/// gets the number of each.
fn in_the_same_place(rounds: usize, mut use_it: impl FnMut(usize, Call)) {
    let paths = two_libraries();
    let (mut same, mut place) = (0, 0);
    for round in 0..10_000 {
        let library = load(&paths[round % 2]);
        let call: Call = function(&library, "call");
        let base = call as usize & !0xffff;
        same += usize::from(base == place);
        place = base;
        use_it(round % 2, call);
        library.close().unwrap();
        if same == rounds {
            paths.iter().for_each(|path| fs::remove_file(path).unwrap());
            return;
        }
    }
    panic!("the loader puts no library in the place of another: {same} times only");
}

const INNER: [&str; 2] = ["inner_of_first call", "innermost_of_second inner_of_second call"];

/// Every stack leads through the library that is there now, and from there to the function that
/// opened the scope.
#[test]
fn in_the_place_of_another_library_new_scopes_walk_right() {
    in_a_process("in_the_place_of_another_library_new_scopes_walk_right", || {
        in_the_same_place(60, |which, call| {
            let scope = AllocScope::with_call_sites();
            for size in 1..20 {
                call(allocate, size);
            }
            let sites = scope.call_sites();
            assert_agrees(&sites, 19);
            assert_eq!(sites.unattributed_count(), 0, "{sites:#}");
            for chain in chains(&sites) {
                // A library has no names if it was loaded after std had first looked for names.
                let unnamed = INNER[which].split(' ').map(|_| "?").collect::<Vec<_>>().join(" ");
                let is_right = |inner: &str| chain.contains(&format!("allocate {inner} {{closure"));
                assert!(is_right(INNER[which]) || is_right(&unnamed), "{chain}\n{sites:#}");
            }
            assert!(!format!("{sites:#}").contains("not complete"), "{sites:#}");
        });
    });
}

/// One scope is open all the time. No stack breaks off where a library has taken the place of
/// another.
#[test]
fn in_the_place_of_another_library_one_scope_walks_right() {
    in_a_process("in_the_place_of_another_library_one_scope_walks_right", || {
        let scope = AllocScope::with_call_sites();
        let mut calls = 0;
        let mut last = 0;
        in_the_same_place(40, |which, call| {
            let inner = AllocScope::enter();
            for size in 1..20 {
                call(allocate, size);
            }
            assert_eq!(inner.exit().alloc_count, 19);
            calls += 19;
            last = which;
        });
        let sites = scope.call_sites();
        let events = scope.exit().alloc_count;
        assert_agrees(&sites, events);
        assert_eq!(sites.unattributed_count(), 0, "{sites:#}");
        let text = format!("{sites:#}");
        assert!(!text.contains("not complete") && !text.contains("stack ends"), "{text}");
        // Std has functions of that name too, and an optimised build knows no path of an inlined
        // one.
        let is_callback = |frame: &mod_alloc::Frame| {
            frame.function().is_some_and(|function| function.ends_with("allocate"))
                && frame.file().is_some_and(|file| file.ends_with("call_sites_loaded.rs"))
        };
        let through_callback = |site: &&mod_alloc::Site| site.frames().iter().any(is_callback);
        let counted: u64 =
            sites.sites().iter().filter(through_callback).map(|s| s.alloc_count()).sum();
        assert_eq!(counted, calls, "{text}");
        assert!(depth_by_the_system() > 3);
    });
}

/// The libraries are gone, or another one is in their place. Their stacks get no names that are not
/// theirs.
#[test]
fn a_library_that_has_gone_gets_no_wrong_names() {
    in_a_process("a_library_that_has_gone_gets_no_wrong_names", || {
        let mut recorded = [0_u64; 2];
        let scope = AllocScope::with_call_sites();
        in_the_same_place(4, |which, call| {
            if recorded[which] == 0 {
                // The first library gets one call, the second ten.
                let times = [1, 10][which];
                (0..times).for_each(|_| call(allocate, 77 + which));
                recorded[which] += times;
            }
        });
        let paths = two_libraries();
        let library = load(&paths[0]);
        let sites = scope.call_sites();
        let named = |name: &str| -> u64 {
            let is = |site: &&mod_alloc::Site| {
                site.frames().iter().any(|f| f.function().is_some_and(|f| f.contains(name)))
            };
            sites.sites().iter().filter(is).map(|site| site.alloc_count()).sum()
        };
        assert!(named("of_first") <= recorded[0], "{sites:#}");
        assert!(named("of_second") <= recorded[1], "{sites:#}");
        library.close().unwrap();
        paths.iter().for_each(|path| fs::remove_file(path).unwrap());
    });
}

/// Another thread unloads the library at the worst moment: the unwinder is on its way through the
/// stack that is made of the library's addresses, and std keeps what it has found. The list that
/// std keeps it in is the first of that length.
#[test]
fn a_library_that_is_unloaded_while_it_is_read_stays_until_that_is_done() {
    in_a_process("a_library_that_is_unloaded_while_it_is_read_stays_until_that_is_done", || {
        const FUNCTIONS: usize = 1_500;
        let mut source = "typedef void callback(unsigned long);".to_owned();
        for n in 1..=FUNCTIONS {
            source += &format!("void f{n}(callback *f) {{ f({n}); __asm__ volatile(\"\"); }}\n");
        }
        source += "void call(callback *f, unsigned long n) {\n";
        (1..=FUNCTIONS).for_each(|n| source += &format!("f{n}(f);\n"));
        let path = compiled("unloaded", &(source + "}\n"), &["-fexceptions", "-fno-inline"]);
        let library = load(&path);
        let call: Call = function(&library, "call");
        let scope = AllocScope::with_call_sites();
        call(allocate, 0);
        let unloading = thread::spawn(|| {
            while !IS_LONG.load(SeqCst) {
                thread::yield_now();
            }
            library.close().unwrap();
            IS_UNLOADED.store(true, SeqCst);
        });
        // After this, std has read what it reads from the files.
        drop(scope.call_sites());
        let events = scope.stats().alloc_count;
        IS_REPORTING.with(|is_reporting| is_reporting.set(true));
        WAITS_AT_LONG.store(true, SeqCst);
        let sites = scope.call_sites();
        WAITS_AT_LONG.store(false, SeqCst);
        assert!(IS_LONG.swap(true, SeqCst), "the moment has come");
        unloading.join().unwrap();
        assert_agrees(&sites, events);
        let named = chains(&sites).iter().filter(|chain| chain.contains("allocate f")).count();
        assert_eq!(named, FUNCTIONS, "{sites:#}");
        fs::remove_file(path).unwrap();
    });
}

/// Constructors call this. They find it through [`bridge`].
extern "C" fn program_allocate(blocks: usize) {
    for size in 1..=blocks {
        allocate(size);
    }
}

/// Opens a scope of its own and makes a report.
extern "C" fn program_report() -> u64 {
    let scope = AllocScope::with_call_sites();
    program_allocate(5);
    let sites = scope.call_sites();
    assert_agrees(&sites, scope.exit().alloc_count);
    uncounted(|| drop(format!("{sites:#}")));
    sites.alloc_count()
}

const CONSTRUCTOR: &str = "
    #include <pthread.h>
    #include <stdint.h>
    typedef void allocate(unsigned long);
    typedef uint64_t report(void);
    static __thread volatile char own[3000];
    extern void *dlsym(void *, const char *);
    static report *report_on_thread; // To look for it there would be to wait for the loader.
    static void *run(void *f) {
        own[7] = 1;
        ((allocate *)f)(30);
        if (report_on_thread() != 5) __builtin_trap();
        return 0;
    }
    __attribute__((constructor)) static void at_load(void) {
        allocate *a = *(allocate **)dlsym(0, \"program_allocate\");
        report *r = *(report **)dlsym(0, \"program_report\");
        own[1] = 1;
        a(20);
        if (r() != 5) __builtin_trap();
        report_on_thread = r;
        if (THREAD) { pthread_t t; pthread_create(&t, 0, run, (void *)a); pthread_join(t, 0); }
        a(20);
    }
    __attribute__((destructor)) static void at_close(void) {
        allocate *a = *(allocate **)dlsym(0, \"program_allocate\");
        report *r = *(report **)dlsym(0, \"program_report\");
        a(10);
        if (r() != 5) __builtin_trap();
    }";

/// A library through which others find the functions of the program.
fn bridge() {
    let path = compiled("bridge", "void *program_allocate, *program_report;", &[]);
    // SAFETY: it has no constructors.
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_GLOBAL) }.unwrap();
    let places: [(&str, *const c_void); 2] = [
        ("program_allocate", program_allocate as *const c_void),
        ("program_report", program_report as *const c_void),
    ];
    for (name, function) in places {
        // SAFETY: the library defines a variable of this type.
        let variable = unsafe { library.get::<*mut *const c_void>(name.as_bytes()) }.unwrap();
        // SAFETY: as above; nobody else uses it now.
        unsafe { **variable = function };
    }
    std::mem::forget(library);
    fs::remove_file(path).unwrap();
}

/// Other threads record, report and load another library meanwhile.
fn constructors(has_thread: bool) {
    bridge();
    let source = CONSTRUCTOR.replace("THREAD", if has_thread { "1" } else { "0" });
    let path =
        compiled(if has_thread { "constructor_thread" } else { "constructor" }, &source, &[]);
    let others = two_libraries();
    let is_over = &AtomicBool::new(false);
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    thread::scope(|scope| {
        let _ends = Ends(is_over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(SeqCst) {
                    let scope = AllocScope::with_call_sites();
                    program_allocate(30);
                    assert_eq!(scope.exit().alloc_count, 30);
                    thread::spawn(|| assert_eq!(program_report(), 5)).join().unwrap();
                }
            });
        }
        scope.spawn(|| {
            for round in 0.. {
                if is_over.load(SeqCst) {
                    break;
                }
                load(&others[round % 2]).close().unwrap();
            }
        });
        let profiler = Profiler::with_call_sites();
        let name = CString::new(path.to_str().unwrap()).unwrap();
        for round in 0..20 {
            let scope = AllocScope::with_call_sites();
            // SAFETY: the library does what is said above.
            let library = unsafe { dlopen(name.as_ptr(), RTLD_LAZY) };
            assert!(!library.is_null());
            assert_eq!(scope.stats().alloc_count, 20 + 5 + 20, "of this thread");
            // SAFETY: opened above.
            assert_eq!(unsafe { dlclose(library) }, 0);
            let expected = 20 + 5 + 20 + 10 + 5;
            let sites = scope.call_sites();
            assert_agrees(&sites, expected);
            assert_eq!(scope.exit().alloc_count, expected);
            if round % 5 == 0 {
                drop(format!("{:#}", profiler.call_sites()));
            }
        }
    });
    others.iter().chain([&path]).for_each(|path| fs::remove_file(path).unwrap());
}

#[test]
fn a_constructor_may_allocate_and_report_under_the_loaders_lock() {
    in_a_process("a_constructor_may_allocate_and_report_under_the_loaders_lock", || {
        constructors(false);
    });
}

/// A thread of C allocates through the program, and makes a report. A thread of Rust would wait for
/// the loader in std, whatever the allocator.
#[test]
fn a_constructor_may_wait_for_a_thread_that_allocates() {
    in_a_process("a_constructor_may_wait_for_a_thread_that_allocates", || constructors(true));
}

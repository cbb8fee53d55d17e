//! Finds the blocks that code leaves behind: `cargo run --example find_leak`. Each folder of a tree
//! knows the one above it. In the first tree it does so by a `Weak`; in the second by an `Rc`, so
//! that the folders keep each other alive for ever.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use mod_alloc::{Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

enum Above {
    Nothing,
    Weak(Weak<Folder>),
    Strong(Rc<Folder>),
}

struct Folder {
    name: &'static str,
    above: Above,
    below: RefCell<Vec<Rc<Folder>>>,
}

impl Folder {
    fn new(name: &'static str, above: Above) -> Rc<Self> {
        let below = RefCell::new(Vec::new());
        Rc::new(Self { name, above, below })
    }

    fn add(&self, folder: Rc<Self>) {
        self.below.borrow_mut().push(folder);
    }

    fn path(&self) -> String {
        let above = match &self.above {
            Above::Nothing => None,
            Above::Weak(above) => above.upgrade(),
            Above::Strong(above) => Some(Rc::clone(above)),
        };
        above.map(|above| above.path()).unwrap_or_default() + "/" + self.name
    }
}

/// Makes three folders, prints the path of the last, and drops them all.
fn work(link: fn(&Rc<Folder>) -> Above) {
    let home = Folder::new("home", Above::Nothing);
    let music = Folder::new("music", link(&home));
    let jazz = Folder::new("jazz", link(&music));
    println!("{}", jazz.path());
    music.add(jazz);
    home.add(music);
}

fn main() {
    // The first line that is printed gives stdout its buffer, which stays.
    println!("folders that know the one above them by a `Weak`, and by an `Rc`:\n");
    let budget = Budget::new().max_retained(0);

    match budget.check(|| work(|above| Above::Weak(Rc::downgrade(above)))) {
        Ok(()) => println!("nothing is left\n"),
        Err(exceeded) => println!("{exceeded}"),
    }
    match budget.check(|| work(|above| Above::Strong(Rc::clone(above)))) {
        Ok(()) => println!("nothing is left"),
        Err(exceeded) => println!("{exceeded}"),
    }
}

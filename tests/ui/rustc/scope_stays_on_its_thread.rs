use mod_alloc::AllocScope;

fn main() {
    let scope = AllocScope::enter();
    std::thread::spawn(move || scope.exit());
}

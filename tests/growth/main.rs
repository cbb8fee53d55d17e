//! Growth: which order fits which program, and what a check says.

mod behaviour;
#[path = "../common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "../common/needs_call_sites.rs"]
mod needs_call_sites;
mod programs;
#[path = "../common/report_head.rs"]
mod report_head;
mod reports;
mod work;

use mod_alloc::{Growth, ModAlloc, Order};

use programs::{Program, PROGRAMS};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Limits all numbers of a program, each by an order that depends on the least that holds.
fn limited<'a>(program: &Program, growth: Growth<'a>, order: fn(Order) -> Order) -> Growth<'a> {
    let limits = program.limits.iter();
    limits.fold(growth, |growth, (limit, least)| limit(growth, order(*least)))
}

/// The least orders hold, those below do not, and the report has the least.
fn check_program(program: &Program, growth: Growth<'_>) {
    let Program { name, limits, set_up } = program;
    let below = |least| match least {
        Order::Constant | Order::Logarithmic => Order::Constant,
        Order::Linear => Order::Logarithmic,
        Order::Linearithmic => Order::Linear,
        _ => Order::Linearithmic,
    };
    let Err(outgrown) = limited(program, growth, below).check(set_up) else {
        assert!(limits.iter().all(|(_, least)| *least == Order::Constant), "{name}");
        return;
    };
    let report = outgrown.to_string();
    assert!(report.starts_with("allocation growth exceeded"), "{name}\n{report}");
    // It would be a range where more than one fits.
    let row = report.lines().find_map(|line| line.strip_prefix("  fits")).expect("a row");
    let fits: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let least: Vec<String> = limits.iter().map(|(_, least)| least.to_string()).collect();
    assert_eq!(fits, least, "{name}\n{report}");
}

#[test]
fn the_least_order_passes() {
    for program in PROGRAMS {
        if let Err(outgrown) = limited(program, Growth::new(), |least| least).check(program.set_up)
        {
            panic!("{}\n{outgrown}", program.name);
        }
    }
}

#[test]
fn programs_at_the_default_sizes() {
    PROGRAMS.iter().for_each(|program| check_program(program, Growth::new()));
}

#[test]
fn programs_at_powers_of_ten() {
    let growth = Growth::new().sizes(&[1, 10, 100, 1_000, 10_000]);
    PROGRAMS.iter().for_each(|program| check_program(program, growth));
}

#[test]
fn programs_at_irregular_sizes() {
    let growth = Growth::new().sizes(&[70, 300, 1_700, 5_000]);
    PROGRAMS.iter().for_each(|program| check_program(program, growth));
}

#[test]
fn programs_at_three_sizes() {
    let growth = Growth::new().sizes(&[64, 500, 4_000]);
    PROGRAMS.iter().for_each(|program| check_program(program, growth));
}

#[test]
fn programs_at_many_sizes() {
    let sizes: Vec<usize> = (1..=40).map(|n| 100 * n).collect();
    PROGRAMS.iter().for_each(|program| check_program(program, Growth::new().sizes(&sizes)));
}

//! Hot: tests of the look-up of rules, held to what the system's unwinder does.
//!
//! Relies on: Windows, for `RtlVirtualUnwind` and its context.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use super::module::Module;
use super::modules::{find_caller, Tables};
use super::unwind_info::all;
use crate::sys::win32::{GetModuleHandleA, RtlLookupFunctionEntry};
use crate::walk::caller::{Caller, Cfa, SavedFp};

/// `CONTEXT`, of which a few registers are of interest.
#[repr(C, align(16))]
struct Context([u64; 154]);

const RSP: usize = 0x98 / 8;
const RBP: usize = 0xa0 / 8;
const RIP: usize = 0xf8 / 8;

extern "system" {
    fn RtlVirtualUnwind(
        kind: u32,
        image: usize,
        pc: usize,
        function: *const c_void,
        context: *mut Context,
        handler_data: *mut *mut c_void,
        frame: *mut usize,
        pointers: *mut c_void,
    ) -> *const c_void;
}

/// A stack on which each word holds its own address plus one.
struct Marked(Vec<usize>);

impl Marked {
    fn new() -> Self {
        let mut words = vec![0_usize; 1 << 21];
        let start = words.as_ptr() as usize;
        (0..words.len()).for_each(|at| words[at] = start + 8 * at + 1);
        Self(words)
    }

    fn at(&self, word: usize) -> u64 {
        self.0.as_ptr() as u64 + 8 * word as u64
    }

    /// `rsp` and `rbp` of the caller, by the system.
    fn unwound(&self, pc: usize) -> Option<(u64, u64)> {
        let mut image = 0;
        // SAFETY: any address may be asked for.
        let function = unsafe { RtlLookupFunctionEntry(pc, &mut image, ptr::null_mut()) };
        if function.is_null() {
            return None;
        }
        let mut context = Context([0; 154]);
        // Of other registers, too: they may be those of a frame.
        context.0[0x78 / 8..RIP].iter_mut().for_each(|register| *register = self.at(1 << 12));
        (context.0[RSP], context.0[RBP]) = (self.at(1 << 19), self.at(1 << 20));
        let (mut data, mut frame) = (ptr::null_mut(), 0);
        // SAFETY: the function's own table; what it leads to lies in the marked words.
        unsafe {
            RtlVirtualUnwind(
                0,
                image,
                pc,
                function,
                &mut context,
                &mut data,
                &mut frame,
                ptr::null_mut(),
            )
        };
        let rsp = context.0[RSP];
        (context.0[RIP] == rsp - 8 + 1).then_some((rsp, context.0[RBP]))
    }

    /// The same, by a rule.
    fn by_rule(&self, cfa: Cfa, fp: SavedFp) -> (u64, u64) {
        let (rsp, rbp) = (self.at(1 << 19), self.at(1 << 20));
        let cfa = match cfa {
            Cfa::Sp(bytes) => rsp + bytes as u64,
            Cfa::Fp(bytes) => rbp + bytes as u64,
            Cfa::AtFp(_) => panic!("there is no such rule here"),
        };
        match fp {
            SavedFp::Same => (cfa, rbp),
            SavedFp::BelowCfa(bytes) => (cfa, cfa - bytes as u64 + 1),
            SavedFp::AtFp => panic!("there is no such rule here"),
        }
    }
}

fn rule(address: usize) -> Caller {
    let mut nothing = Tables::NONE;
    find_caller(address, &mut nothing)
}

/// The addresses after what looks like a call, in the code of a module.
fn return_addresses(module: &Module) -> Vec<usize> {
    let size = module.headers.size;
    let mut addresses = Vec::new();
    for function in all(module.table().expect("it can be read")) {
        let Some(section) = module.section_at(function.start) else { continue };
        let code = &section.bytes[function.start - section.start..function.end - section.start];
        for (at, call) in code.windows(5).enumerate() {
            let place = function.start + at + 5;
            let to = i32::from_le_bytes([call[1], call[2], call[3], call[4]]);
            if call[0] == 0xe8 && place.wrapping_add_signed(to as isize) < size {
                addresses.push(module.start + place);
            }
        }
    }
    addresses
}

#[test]
fn each_return_address_has_the_rule_that_the_system_goes_by() {
    let marked = Marked::new();
    let of_system = [b"kernel32.dll\0".as_slice(), b"ntdll.dll\0"];
    // SAFETY: names; null is this program.
    let handles = of_system.map(|name| unsafe { GetModuleHandleA(name.as_ptr().cast()) });
    let own = return_addresses as *const () as usize;
    for (start, least) in
        [own, handles[0] as usize, handles[1] as usize].into_iter().zip([20_000, 0, 0])
    {
        let module = Module::at(start).expect("it is loaded");
        let addresses = return_addresses(&module);
        let mut known = 0;
        for &address in &addresses {
            let Caller::Frame { cfa, fp, .. } = rule(address) else {
                continue;
            };
            known += 1;
            let expected = marked.unwound(address);
            assert_eq!(Some(marked.by_rule(cfa, fp)), expected, "{address:x}: {cfa:?}, {fp:?}");
        }
        println!("{known} of {} known", addresses.len());
        assert!(
            known >= least && known >= addresses.len() / 100 * 99,
            "{known} of {}",
            addresses.len()
        );
    }
}

static DATA: [u64; 4] = [7; 4];

#[test]
fn what_is_no_code_has_no_rule() {
    let on_heap = Box::new(0_u64);
    let heap: *const u64 = &*on_heap;
    for address in [0, 1, 4095, 1 << 46, usize::MAX, heap as usize, DATA.as_ptr() as usize] {
        assert_eq!(rule(address), Caller::Unknown, "{address:x}");
    }
}

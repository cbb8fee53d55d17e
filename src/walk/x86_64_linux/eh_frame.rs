//! Hot: reads the one row of `.eh_frame` that holds at an address: DWARF's call frame information
//! (DWARF 5, section 6.4) with the changes of the Linux Standard Base ("The .eh_frame section").
//!
//! A frame description entry (FDE) covers the code of a function; it names a common information
//! entry (CIE) that functions share. Both end in a program for a simple machine that builds a
//! table, a row for each stretch of code: the CIE's program makes the first row, the FDE's changes
//! it on the way from the function's start. It is run until it passes the address. Of the row, only
//! the columns that a [`Caller`] wants are kept: the CFA, `rbp`, `rsp` and the return address.
//!
//! A pure function of the bytes. Each step consumes some, so it ends; what it does not know, it
//! answers with `None`.

use super::bytes::{Reader, Segment, FORMAT};
use super::rule::{Caller, Cfa, SavedRbp};

/// DWARF's numbers for registers.
const RBP: u64 = 6;
const RSP: u64 = 7;
const RETURN_ADDRESS: u64 = 16;

/// The caller of what is at `pc`, from the entry at the address `fde`. `None` where the entry does
/// not cover `pc`, or is not understood.
pub(crate) fn caller_at(segment: Segment<'_>, fde: usize, pc: usize) -> Option<Caller> {
    let mut fde = entry(segment, fde)?;
    let id_address = fde.address();
    let distance = fde.u32()?;
    if distance == 0 {
        return None; // A CIE.
    }
    let cie = Cie::read(entry(segment, id_address.wrapping_sub(distance as usize))?)?;

    let start = fde.pointer(cie.pointers)?;
    let length = fde.pointer(cie.pointers & FORMAT)?;
    if pc.wrapping_sub(start) >= length {
        return None;
    }
    if cie.has_lengths {
        let length = fde.uleb()?;
        fde.skip(length)?;
    }
    let first = Row {
        cfa: RowCfa::Unknown,
        rbp: Column::Same,
        rsp: Column::Undefined,
        return_address: Column::Unknown,
    };
    let first =
        Program { bytes: cie.program, cie: &cie, first, location: 0, pc: usize::MAX }.run()?;
    let row = Program { bytes: fde, cie: &cie, first, location: start, pc }.run()?;
    row.caller()
}

/// The contents of the entry at an address, after its length.
fn entry(segment: Segment<'_>, address: usize) -> Option<Reader<'_>> {
    let mut reader = segment.from(address)?;
    match reader.u32()? {
        // The end of the section, and entries of more than 4 GiB.
        0 | u32::MAX => None,
        length => reader.part(u64::from(length)),
    }
}

/// What a CIE says.
struct Cie<'a> {
    code_alignment: u64,
    data_alignment: i64,
    /// How FDEs encode addresses.
    pointers: u8,
    /// FDEs have more data, behind its length.
    has_lengths: bool,
    program: Reader<'a>,
}

impl<'a> Cie<'a> {
    fn read(mut reader: Reader<'a>) -> Option<Self> {
        let (id, version) = (reader.u32()?, reader.u8()?);
        if id != 0 || !matches!(version, 1 | 3) {
            return None;
        }
        let mut augmentation = reader;
        while reader.u8()? != 0 {}
        let code_alignment = reader.uleb()?;
        let data_alignment = reader.sleb()?;
        let return_address = if version == 1 { u64::from(reader.u8()?) } else { reader.uleb()? };
        if return_address != RETURN_ADDRESS {
            return None;
        }
        let mut pointers = 0;
        let has_lengths = match augmentation.u8()? {
            0 => false,
            b'z' => {
                let length = reader.uleb()?;
                let mut data = reader.part(length)?;
                loop {
                    match augmentation.u8()? {
                        0 => break true,
                        b'R' => pointers = data.u8()?,
                        b'L' => data.skip(1)?,
                        b'P' => {
                            let encoding = data.u8()?;
                            data.skip_pointer(encoding)?;
                        }
                        // Among others `S`, the frame of a signal handler: all registers differ.
                        _ => return None,
                    }
                }
            }
            _ => return None,
        };
        Some(Self { code_alignment, data_alignment, pointers, has_lengths, program: reader })
    }
}

#[derive(Clone, Copy)]
struct Row {
    cfa: RowCfa,
    rbp: Column,
    /// `Undefined` nearly always: then it is the CFA.
    rsp: Column,
    return_address: Column,
}

#[derive(Clone, Copy)]
enum RowCfa {
    /// A register and a distance from it.
    Register(u64, i64),
    /// `*(rbp + x)`
    AtRbp(i64),
    Unknown,
}

/// Where the caller's value of a register is.
#[derive(Clone, Copy)]
enum Column {
    Same,
    Undefined,
    /// At a distance from the CFA.
    FromCfa(i64),
    /// `*rbp`
    AtRbp,
    Unknown,
}

impl Row {
    fn caller(self) -> Option<Caller> {
        match self.return_address {
            Column::Undefined => return Some(Caller::Outermost),
            Column::FromCfa(-8) => {}
            _ => return None,
        }
        if !matches!(self.rsp, Column::Undefined) {
            return None;
        }
        let cfa = match self.cfa {
            RowCfa::Register(RSP, offset) => Cfa::Rsp(usize::try_from(offset).ok()?),
            RowCfa::Register(RBP, offset) => Cfa::Rbp(usize::try_from(offset).ok()?),
            RowCfa::AtRbp(offset) => Cfa::AtRbp(isize::try_from(offset).ok()?),
            RowCfa::Register(..) | RowCfa::Unknown => return None,
        };
        let rbp = match self.rbp {
            // An undefined register is one that callers do not look at: it stays what it is.
            Column::Same | Column::Undefined => SavedRbp::Same,
            Column::FromCfa(offset) => {
                SavedRbp::BelowCfa(usize::try_from(offset.checked_neg()?).ok()?)
            }
            Column::AtRbp => SavedRbp::AtRbp,
            Column::Unknown => return None,
        };
        Some(Caller::Frame { cfa, rbp })
    }

    fn set(&mut self, register: u64, column: Column) {
        match register {
            RBP => self.rbp = column,
            RSP => self.rsp = column,
            RETURN_ADDRESS => self.return_address = column,
            _ => {}
        }
    }
}

/// One run over the instructions of a CIE or an FDE.
struct Program<'a> {
    bytes: Reader<'a>,
    cie: &'a Cie<'a>,
    /// The row at the start, and the one to which columns are restored.
    first: Row,
    /// Where the row begins to hold.
    location: usize,
    pc: usize,
}

impl Program<'_> {
    /// The row that holds at `pc`.
    fn run(mut self) -> Option<Row> {
        let mut row = self.first;
        // Compilers remember one row at a time.
        let (mut remembered, mut depth) = ([row; 8], 0_usize);
        while !self.bytes.is_empty() {
            let instruction = self.bytes.u8()?;
            let operand = u64::from(instruction & 0x3f);
            let steps = match (instruction >> 6, operand) {
                (1, steps) => Some(steps),                       // DW_CFA_advance_loc
                (0, 0x02) => Some(u64::from(self.bytes.u8()?)),  // DW_CFA_advance_loc1
                (0, 0x03) => Some(u64::from(self.bytes.u16()?)), // DW_CFA_advance_loc2
                (0, 0x04) => Some(u64::from(self.bytes.u32()?)), // DW_CFA_advance_loc4
                _ => None,
            };
            if let Some(steps) = steps {
                let bytes = steps.wrapping_mul(self.cie.code_alignment);
                self.location = self.location.wrapping_add(bytes as usize);
                if self.location > self.pc {
                    break;
                }
                continue;
            }
            match (instruction >> 6, operand) {
                (0, 0x01) => {
                    // DW_CFA_set_loc
                    self.location = self.bytes.pointer(self.cie.pointers)?;
                    if self.location > self.pc {
                        break;
                    }
                }
                (0, 0x0a) => {
                    // DW_CFA_remember_state
                    *remembered.get_mut(depth)? = row;
                    depth += 1;
                }
                (0, 0x0b) => {
                    // DW_CFA_restore_state
                    depth = depth.checked_sub(1)?;
                    row = *remembered.get(depth)?;
                }
                (high, low) => self.change(&mut row, high, low)?,
            }
        }
        Some(row)
    }

    /// An instruction that changes a column of the row.
    fn change(&mut self, row: &mut Row, high: u8, low: u64) -> Option<()> {
        match (high, low) {
            (2, register) => {
                // DW_CFA_offset
                let offset = self.factored()?;
                row.set(register, Column::FromCfa(offset));
            }
            (3, register) => self.restore(row, register), // DW_CFA_restore
            (0, 0x00) => {}                               // DW_CFA_nop
            (0, 0x05) => {
                // DW_CFA_offset_extended
                let register = self.bytes.uleb()?;
                let offset = self.factored()?;
                row.set(register, Column::FromCfa(offset));
            }
            (0, 0x06) => {
                // DW_CFA_restore_extended
                let register = self.bytes.uleb()?;
                self.restore(row, register);
            }
            (0, 0x07) => row.set(self.bytes.uleb()?, Column::Undefined), // DW_CFA_undefined
            (0, 0x08) => row.set(self.bytes.uleb()?, Column::Same),      // DW_CFA_same_value
            (0, 0x09 | 0x14) => {
                // DW_CFA_register, DW_CFA_val_offset
                row.set(self.bytes.uleb()?, Column::Unknown);
                self.bytes.uleb()?;
            }
            (0, 0x0c) => {
                // DW_CFA_def_cfa
                let register = self.bytes.uleb()?;
                row.cfa = RowCfa::Register(register, self.bytes.uleb()? as i64);
            }
            (0, 0x0d) => {
                // DW_CFA_def_cfa_register
                let RowCfa::Register(_, offset) = row.cfa else { return None };
                row.cfa = RowCfa::Register(self.bytes.uleb()?, offset);
            }
            (0, 0x0e) => {
                // DW_CFA_def_cfa_offset
                let RowCfa::Register(register, _) = row.cfa else { return None };
                row.cfa = RowCfa::Register(register, self.bytes.uleb()? as i64);
            }
            (0, 0x0f) => row.cfa = self.cfa_expression()?, // DW_CFA_def_cfa_expression
            (0, 0x10) => {
                // DW_CFA_expression
                let register = self.bytes.uleb()?;
                let column = self.column_expression()?;
                row.set(register, column);
            }
            (0, 0x11) => {
                // DW_CFA_offset_extended_sf
                let register = self.bytes.uleb()?;
                let offset = self.factored_signed()?;
                row.set(register, Column::FromCfa(offset));
            }
            (0, 0x12) => {
                // DW_CFA_def_cfa_sf
                let register = self.bytes.uleb()?;
                row.cfa = RowCfa::Register(register, self.factored_signed()?);
            }
            (0, 0x13) => {
                // DW_CFA_def_cfa_offset_sf
                let RowCfa::Register(register, _) = row.cfa else { return None };
                row.cfa = RowCfa::Register(register, self.factored_signed()?);
            }
            (0, 0x15) => {
                // DW_CFA_val_offset_sf
                row.set(self.bytes.uleb()?, Column::Unknown);
                self.bytes.sleb()?;
            }
            (0, 0x16) => {
                // DW_CFA_val_expression
                row.set(self.bytes.uleb()?, Column::Unknown);
                let length = self.bytes.uleb()?;
                self.bytes.skip(length)?;
            }
            (0, 0x2e) => self.bytes.uleb().map(|_| ())?, // DW_CFA_GNU_args_size
            _ => return None,
        }
        Some(())
    }

    fn restore(&self, row: &mut Row, register: u64) {
        match register {
            RBP => row.rbp = self.first.rbp,
            RSP => row.rsp = self.first.rsp,
            RETURN_ADDRESS => row.return_address = self.first.return_address,
            _ => {}
        }
    }

    fn factored(&mut self) -> Option<i64> {
        Some((self.bytes.uleb()? as i64).wrapping_mul(self.cie.data_alignment))
    }

    fn factored_signed(&mut self) -> Option<i64> {
        Some(self.bytes.sleb()?.wrapping_mul(self.cie.data_alignment))
    }

    /// Known is the one that GCC writes for functions whose frame it aligns: `DW_OP_breg6 x;
    /// DW_OP_deref`.
    fn cfa_expression(&mut self) -> Option<RowCfa> {
        let length = self.bytes.uleb()?;
        let mut expression = self.bytes.part(length)?;
        let mut known = || {
            let offset = based_on_rbp(&mut expression)?;
            (expression.u8()? == 0x06 && expression.is_empty()).then_some(RowCfa::AtRbp(offset))
        };
        Some(known().unwrap_or(RowCfa::Unknown))
    }

    /// Known is the one for `rbp` in the same functions: `DW_OP_breg6 0`.
    fn column_expression(&mut self) -> Option<Column> {
        let length = self.bytes.uleb()?;
        let mut expression = self.bytes.part(length)?;
        let is_known = based_on_rbp(&mut expression) == Some(0) && expression.is_empty();
        Some(if is_known { Column::AtRbp } else { Column::Unknown })
    }
}

/// `DW_OP_breg6 x`: `rbp + x`.
fn based_on_rbp(expression: &mut Reader<'_>) -> Option<i64> {
    match expression.u8()? {
        0x76 => expression.sleb(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::super::modules::own_tables;
    use super::{caller_at, Segment};
    use crate::walk::rule::Rule;
    use crate::walk::{Caller, Cfa, SavedRbp};

    const ADDRESS: usize = 0x10_0000;
    /// Where the function of the tests lies.
    const START: usize = 0x4000;
    const LENGTH: usize = 0x100;

    /// The contents of a CIE as compilers write it.
    fn cie() -> Vec<u8> {
        let mut cie = vec![0, 0, 0, 0, 1];
        cie.extend(b"zR\0");
        // Factors 1 and -8, return address 16; absolute pointers.
        cie.extend([1, 0x78, 16, 1, 0x00]);
        cie.extend([0x0c, 7, 8, 0x90, 1]); // CFA = rsp + 8, return address at CFA - 8.
        cie
    }

    fn push_entry(bytes: &mut Vec<u8>, contents: &[u8]) {
        bytes.extend((contents.len() as u32).to_le_bytes());
        bytes.extend(contents);
    }

    /// A CIE, and an FDE with these instructions. Gives the offset of the FDE, too.
    fn tables(cie: &[u8], instructions: &[u8]) -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        push_entry(&mut bytes, cie);
        let fde = bytes.len();
        let mut contents = (fde as u32 + 4).to_le_bytes().to_vec();
        contents.extend(START.to_le_bytes());
        contents.extend(LENGTH.to_le_bytes());
        contents.push(0);
        contents.extend(instructions);
        push_entry(&mut bytes, &contents);
        (bytes, fde)
    }

    fn rule_in(cie: &[u8], instructions: &[u8], pc: usize) -> Option<Caller> {
        let (bytes, fde) = tables(cie, instructions);
        let segment = Segment { bytes: &bytes, address: ADDRESS };
        caller_at(segment, ADDRESS + fde, pc).map(|caller| Rule::of(caller).caller())
    }

    #[track_caller]
    fn check(instructions: &[u8], cfa: Cfa, rbp: SavedRbp) {
        let pc = START + LENGTH - 1;
        assert_eq!(rule_in(&cie(), instructions, pc), Some(Caller::Frame { cfa, rbp }));
    }

    #[track_caller]
    fn check_unknown(instructions: &[u8]) {
        let rule = rule_in(&cie(), instructions, START);
        assert!(matches!(rule, None | Some(Caller::Unknown)), "{rule:?}");
    }

    #[test]
    fn the_row_of_a_function_changes_on_its_way() {
        let usual = [
            0x41, 0x0e, 16, 0x86, 2, // push rbp
            0x43, 0x0d, 6, // mov rbp, rsp
            0x02, 0x80, 0x0c, 7, 8, // pop rbp; ret
        ];
        let at = |pc| rule_in(&cie(), &usual, pc);
        let frame = |cfa, rbp| Some(Caller::Frame { cfa, rbp });
        assert_eq!(at(START - 1), None);
        assert_eq!(at(START), frame(Cfa::Rsp(8), SavedRbp::Same));
        for pc in 1..4 {
            assert_eq!(at(START + pc), frame(Cfa::Rsp(16), SavedRbp::BelowCfa(16)));
        }
        for pc in [4, 0x83] {
            assert_eq!(at(START + pc), frame(Cfa::Rbp(16), SavedRbp::BelowCfa(16)));
        }
        assert_eq!(at(START + 0x84), frame(Cfa::Rsp(8), SavedRbp::BelowCfa(16)));
        assert_eq!(at(START + LENGTH), None);
    }

    #[test]
    fn every_way_to_advance_is_understood() {
        use SavedRbp::Same;
        check(&[0x7f, 0x0e, 16], Cfa::Rsp(16), Same);
        check(&[0x02, 0xff, 0x0e, 16], Cfa::Rsp(16), Same);
        check(&[0x03, 0xff, 0x00, 0x0e, 16], Cfa::Rsp(16), Same);
        check(&[0x04, 0xff, 0x00, 0x00, 0x00, 0x0e, 16], Cfa::Rsp(16), Same);
        check(&[0x03, 0x00, 0x01, 0x0e, 16], Cfa::Rsp(8), Same);
        check(&[0x04, 0x00, 0x01, 0x00, 0x00, 0x0e, 16], Cfa::Rsp(8), Same);
        check(&[0x01, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0x0e, 16], Cfa::Rsp(16), Same);
        check(&[0x01, 0x00, 0x41, 0, 0, 0, 0, 0, 0, 0x0e, 16], Cfa::Rsp(8), Same);
    }

    #[test]
    fn every_way_to_say_where_the_frame_is_is_understood() {
        use SavedRbp::{BelowCfa, Same};
        check(&[0x0c, 6, 0x90, 0x01], Cfa::Rbp(0x90), Same);
        check(&[0x12, 7, 0x7e], Cfa::Rsp(16), Same); // Signed, and in words of -8 bytes.
        check(&[0x13, 0x7d], Cfa::Rsp(24), Same);
        check(&[0x86, 3], Cfa::Rsp(8), BelowCfa(24));
        check(&[0x05, 6, 3], Cfa::Rsp(8), BelowCfa(24));
        check(&[0x11, 6, 3], Cfa::Rsp(8), BelowCfa(24));
        check(&[0x86, 3, 0xc6], Cfa::Rsp(8), Same);
        check(&[0x86, 3, 0x06, 6], Cfa::Rsp(8), Same);
        check(&[0x87, 3, 0xc7], Cfa::Rsp(8), Same); // rsp is the CFA again.
        check(&[0x86, 3, 0x08, 6], Cfa::Rsp(8), Same);
        check(&[0x86, 3, 0x07, 6], Cfa::Rsp(8), Same);
        check(&[0x0a, 0x0e, 32, 0x86, 3, 0x0b], Cfa::Rsp(8), Same);
        check(&[0x10, 6, 2, 0x76, 0, 0x0f, 3, 0x76, 0x78, 6], Cfa::AtRbp(-8), SavedRbp::AtRbp);
        check(&[0x10, 6, 2, 0x76, 0, 0x0c, 6, 16], Cfa::Rbp(16), BelowCfa(16));
    }

    #[test]
    fn other_registers_are_passed_over() {
        let others = [
            0x83, 7, 0x8c, 6, 0x09, 3, 12, 0x14, 12, 1, 0x15, 13, 1, 0x16, 14, 1, 0x30, 0x10, 15,
            2, 0x77, 8, 0x2e, 16, 0x00, 0xc3,
        ];
        check(&others, Cfa::Rsp(8), SavedRbp::Same);
    }

    #[test]
    fn a_function_without_return_address_is_outermost() {
        assert_eq!(rule_in(&cie(), &[0x07, 16], START), Some(Caller::Outermost));
    }

    #[test]
    fn what_cannot_be_expressed_has_no_rule() {
        check_unknown(&[0x0c, 10, 8]); // r10
        check_unknown(&[0x0f, 2, 0x77, 8]); // rsp + 8, as an expression
        check_unknown(&[0x0f, 3, 0x76, 0x78, 0x23]);
        check_unknown(&[0x10, 6, 2, 0x77, 0]);
        check_unknown(&[0x10, 6, 2, 0x76, 8]);
        check_unknown(&[0x09, 6, 3]); // rbp is in rbx
        check_unknown(&[0x08, 16]);
        check_unknown(&[0x90, 2]);
        check_unknown(&[0x87, 3]); // The caller's rsp is not the CFA: saved,
        check_unknown(&[0x09, 7, 8]); // in r8, as in glibc's `longjmp`,
        check_unknown(&[0x16, 7, 2, 0x77, 8]); // or computed.
        check_unknown(&[0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
    }

    /// The fixed corpus of hostile instructions.
    #[test]
    fn hostile_instructions_have_no_rule() {
        check_unknown(&[0x0b]); // Restores what was not remembered.
        check_unknown(&[0x0a; 9]); // Remembers for ever.
        check_unknown(&[0x3f]);
        check_unknown(&[0x1d]);
        check_unknown(&[0x0e]);
        check_unknown(&[0x0e, 0x80]);
        check_unknown(&[0x86]);
        check_unknown(&[0x02]);
        check_unknown(&[0x03, 1]);
        check_unknown(&[0x04, 1, 1, 1]);
        check_unknown(&[0x01, 1]);
        check_unknown(&[0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        check_unknown(&[0x0f, 0, 0x0d, 7]); // Another register for what has none.
        check_unknown(&[0x0f, 0, 0x0e, 8]);
        check_unknown(&[0x0f, 0, 0x13, 1]);
        check_unknown(&[0x16, 6, 0x7f]);
        // The greatest and the least numbers.
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        for number in [most, least] {
            for before in [&[0x0c, 7][..], &[0x0c, 6], &[0x12, 7], &[0x13], &[0x86], &[0x11, 6]] {
                let instructions = [before, &number].concat();
                let rule = rule_in(&cie(), &instructions, START);
                assert!(
                    matches!(
                        rule,
                        None | Some(Caller::Unknown) | Some(Caller::Frame { cfa: Cfa::Rsp(8), .. })
                    ),
                    "{instructions:x?}: {rule:?}"
                );
            }
        }
        // Advances over the end of the address space, again and again.
        check(&[0x04, 0xff, 0xff, 0xff, 0xff].repeat(1_000), Cfa::Rsp(8), SavedRbp::Same);
    }

    #[test]
    fn hostile_entries_have_no_rule() {
        let change = |at: usize, value: u8| {
            let mut cie = cie();
            cie[at] = value;
            cie
        };
        assert!(rule_in(&cie(), &[], START).is_some());
        for (at, value) in [
            (0, 1),     // Not a CIE.
            (4, 2),     // A version there is not.
            (5, b'a'),  // Augmentations there are not.
            (6, b'S'),  // The frame of a signal handler.
            (7, b'z'),  // An augmentation without end.
            (10, 17),   // The return address elsewhere.
            (11, 0xff), // More data than there is.
            (12, 0xff), // Addresses left out,
            (12, 0x9b), // or indirect.
            (12, 0x05),
        ] {
            assert_eq!(rule_in(&change(at, value), &[], START), None, "{at}: {value:#x}");
        }
        let (bytes, fde) = tables(&cie(), &[0x0e, 16]);
        let rule = |bytes: &[u8], fde| {
            caller_at(Segment { bytes, address: ADDRESS }, ADDRESS.wrapping_add(fde), START)
        };
        assert!(rule(&bytes, fde).is_some());
        for length in 0..bytes.len() {
            assert!(rule(&bytes[..length], fde).is_none(), "{length}");
        }
        assert!(rule(&bytes, 0).is_none(), "a CIE is no FDE");
        for offset in [fde + 1, bytes.len(), bytes.len() + 1, usize::MAX, usize::MAX / 2] {
            assert!(rule(&bytes, offset).is_none());
        }
        for length in [0, 1, 3, u32::MAX, u32::MAX - 1, u32::MAX / 2] {
            let mut bytes = bytes.clone();
            bytes[fde..fde + 4].copy_from_slice(&length.to_le_bytes());
            assert!(rule(&bytes, fde).is_none(), "{length}");
        }
        for distance in [0, 1, fde as u32 + 3, fde as u32 + 5, u32::MAX] {
            let mut bytes = bytes.clone();
            bytes[fde + 4..fde + 8].copy_from_slice(&distance.to_le_bytes());
            assert!(rule(&bytes, fde).is_none(), "{distance}");
        }
    }

    #[test]
    fn real_tables_survive_any_change_of_their_bytes() {
        let (segment, header, functions) = own_tables();
        assert!(functions.len() > 1_000);
        let mut bytes = segment.bytes.to_vec();
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |limit: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 16) as usize % limit
        };
        let (mut known, mut lost) = (0, 0);
        for round in 0..30_000 {
            let (start, fde) = functions[below(functions.len())];
            let at = fde - segment.address;
            let pc = start + below(64);
            let length =
                u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
            let distance =
                u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
            let cie = at + 4 - distance;
            let undamaged = Segment { bytes: &bytes, address: segment.address };
            assert_eq!(header::find(undamaged, header, start), Some(fde));
            let before = caller_at(undamaged, fde, pc);
            let mut damage = Vec::new();
            for _ in 0..=below(4) {
                let place = match below(4) {
                    0 => cie + below(32),
                    1 => header - segment.address + below(32),
                    _ => at + below(length + 4),
                };
                damage.push((place, bytes[place]));
                bytes[place] = match below(3) {
                    0 => 0xff,
                    1 => bytes[place] ^ 1 << below(8),
                    _ => below(256) as u8,
                };
            }
            let cut = if round % 8 == 0 { below(length + 4) + at } else { bytes.len() };
            let damaged = Segment { bytes: &bytes[..cut], address: segment.address };
            let after = caller_at(damaged, fde, pc);
            if let Some(found) = header::find(damaged, header, pc) {
                caller_at(damaged, found, pc);
            }
            known += usize::from(before.is_some());
            lost += usize::from(before.is_some() && after.is_none());
            for (place, byte) in damage.into_iter().rev() {
                bytes[place] = byte;
            }
        }
        assert!(known > 20_000 && lost > 10_000, "{known} {lost}");
    }
}

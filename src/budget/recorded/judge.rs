//! Cold: `Verdict`, what a record says of a budget that has not measured what was recorded, or that
//! is to record what it has measured.

use super::super::environment::{self, Update};
use super::super::say::say;
use super::record::Record;
use super::text::{self, Section};
use crate::number::{counted, grouped};

pub(crate) struct Verdict {
    pub(crate) record: &'static Record,
    /// What was recorded, if anything was.
    pub(crate) before: Option<Section>,
    /// The number that is recorded now, if what was measured is accepted.
    pub(crate) accepted: Option<u64>,
    /// Why it is not accepted, if that is not because nobody asked for it.
    pub(crate) refusal: Option<String>,
}

impl Verdict {
    /// The number that is the limit now. There is none where nothing is recorded, or what was
    /// measured was to be recorded and is not.
    pub(in super::super) fn limit(&self) -> Option<u64> {
        let before = self.before.as_ref().filter(|_| self.refusal.is_none());
        self.accepted.or(before.map(|section| section.allocations))
    }

    /// Whether another run, with `MOD_ALLOC_UPDATE=1`, would accept what was measured.
    pub(crate) fn can_be_accepted(&self) -> bool {
        self.refusal.is_none() || environment::update() == Update::Lower
    }
}

impl Record {
    /// Judges what a run has measured, and records it if that is asked for. `sites` is the snapshot
    /// text of that many allocations, if there is one.
    pub(in super::super) fn judge(
        &'static self,
        allocations: u64,
        sites: impl FnOnce() -> Option<String>,
    ) -> Verdict {
        let mut verdict = Verdict { record: self, before: None, accepted: None, refusal: None };
        match self.read() {
            Ok(before) => verdict.before = before,
            Err(refusal) => {
                verdict.refusal = Some(refusal);
                return verdict;
            }
        }
        match self.update(allocations, verdict.before.as_ref(), sites) {
            Ok(accepted) => verdict.accepted = accepted,
            Err(refusal) => verdict.refusal = Some(refusal),
        }
        verdict
    }

    /// # Errors
    /// Why nothing is recorded although it is asked for.
    fn update(
        &self,
        allocations: u64,
        before: Option<&Section>,
        sites: impl FnOnce() -> Option<String>,
    ) -> Result<Option<u64>, String> {
        let update = environment::update();
        if update == Update::Nothing {
            return Ok(None);
        }
        self.note(allocations).map_err(|earlier| {
            format!(
                "not recorded: it makes {}, and an earlier run in this process made {}. Each run \
                 must make as many: name what differs by `Budget::new().recorded(\"name\")`, or \
                 limit it by `max`",
                counted(allocations, "allocation"),
                grouped(earlier)
            )
        })?;
        let recorded = before.map(|section| section.allocations);
        if update == Update::Lower {
            match recorded {
                Some(recorded) if allocations < recorded => {}
                Some(recorded) if allocations == recorded => return Ok(Some(allocations)),
                Some(_) => {
                    return Err("not recorded: `MOD_ALLOC_UPDATE=lower` accepts fewer allocations \
                                only"
                        .to_owned())
                }
                None => {
                    return Err(
                        "not recorded: `MOD_ALLOC_UPDATE=lower` changes records that there \
                                are"
                        .to_owned(),
                    )
                }
            }
        }
        let is_changed = match sites() {
            Some(sites) => self.store.write(&sites)?,
            // What is recorded may say where.
            None if recorded == Some(allocations) => false,
            None => self.store.write(&text::without_sites(allocations))?,
        };
        if is_changed {
            let change = change(recorded, allocations);
            say(&|| format!("mod-alloc: {} {}: {change}", self.file(), self.section()));
        }
        Ok(Some(allocations))
    }
}

fn change(recorded: Option<u64>, allocations: u64) -> String {
    let now = grouped(allocations);
    match recorded {
        None => format!("recorded {now}"),
        Some(before) if before == allocations => format!("{now}, at other sites"),
        Some(before) => format!("{} -> {now}", grouped(before)),
    }
}

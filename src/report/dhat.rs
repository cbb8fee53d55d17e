//! Cold: the DHAT file of a broken budget, which is written when the report is made.

use crate::budget::{dhat_folder, ExceededData};
use crate::counters::AtWork;
#[cfg(feature = "dhat-compat")]
use crate::dhat_file;
#[cfg(feature = "dhat-compat")]
use crate::walk;

impl ExceededData {
    /// Writes the DHAT profile, if the environment asks for one, and says where it is.
    pub(crate) fn dhat(&self, at_work: AtWork<'_>) -> Option<&str> {
        let line = self.dhat.get_or_init(|| {
            let folder = dhat_folder()?;
            Some(self.write_dhat(at_work, &folder))
        });
        line.as_deref()
    }

    #[cfg(not(feature = "dhat-compat"))]
    fn write_dhat(&self, _: AtWork<'_>, _: &std::path::Path) -> String {
        "no DHAT profile: does mod-alloc have its feature `dhat-compat`?".to_owned()
    }

    #[cfg(feature = "dhat-compat")]
    fn write_dhat(&self, at_work: AtWork<'_>, folder: &std::path::Path) -> String {
        let Some(recording) = &self.measurement.recording else {
            let reason = walk::UNAVAILABLE.unwrap_or("nothing was recorded");
            return format!("no DHAT profile: {reason}");
        };
        match dhat_file::save_in(at_work, folder, &self.name, recording) {
            Ok(path) => format!("DHAT profile: {}", path.display()),
            Err((path, error)) => {
                format!("no DHAT profile: writing to {} failed: {error}", path.display())
            }
        }
    }
}

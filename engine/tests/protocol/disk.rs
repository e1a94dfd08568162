//! A run directory under a loss of power: what was flushed is there, what wasn't may be. See `trainer/src/storage.rs`.

use crate::{
    Model,
    bugs::Bug,
    state::{GONE, State, Steps},
};

/// What a file or folder holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    #[default]
    Nothing,
    Written,
    Flushed,
    /// Its name outlived a loss of power that its bytes didn't.
    Torn,
}

/// A folder that is written under a temporary name and renamed (`storage::PendingFolder`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Folder {
    pub(crate) content: Content,
    /// Has its final name.
    pub(crate) named: bool,
    /// The name outlives a loss of power.
    pub(crate) name_flushed: bool,
}

impl Folder {
    /// Its digests agree.
    pub(crate) fn is_whole(self) -> bool {
        self.named && matches!(self.content, Content::Written | Content::Flushed)
    }
}

/// A run directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Disk {
    /// The names of the folders above the checkpoints outlive a loss of power.
    pub(crate) parents_flushed: bool,
    /// `checkpoints/step-N`, by N.
    pub(crate) checkpoints: Vec<Folder>,
    /// The lines of `metrics.jsonl`, and those of them that outlive a loss of power.
    pub(crate) log: Steps,
    pub(crate) log_flushed: Steps,
    /// `result.json`: the step, and whether the run was completed.
    pub(crate) result: Option<(u8, bool)>,
    pub(crate) adapter: Folder,
}

impl Disk {
    pub(crate) fn checkpoint(&mut self, step: u8) -> &mut Folder {
        &mut self.checkpoints[usize::from(step)]
    }

    pub(crate) fn has_whole(&self, step: u8) -> bool {
        self.checkpoints[usize::from(step)].is_whole()
    }

    pub(crate) fn whole_checkpoints(&self) -> impl Iterator<Item = u8> {
        (0..)
            .zip(&self.checkpoints)
            .filter(|(_, folder)| folder.is_whole())
            .map(|(step, _)| step)
    }
}

impl Model {
    /// "both at once, or the machine": no process is left, and of each name and each byte that wasn't flushed either
    /// nothing is, or (`names_kept`) the name alone. The database commits durably (`synchronous = FULL`).
    pub(crate) fn power_cut(&self, state: &mut State, names_kept: bool) {
        state.left.power_cuts -= 1;
        state.orphans.clear();
        for server in &mut state.servers {
            *server = None;
        }
        for job in &mut state.jobs {
            lose(&mut job.disk, names_kept);
            if let Some(lease) = &mut job.row.lease {
                lease.server = GONE;
            }
        }
    }

    /// `PendingFolder::create` and `write`: the folder above is there and flushed, the bytes are flushed.
    pub(crate) fn write_folder(&self, disk: &mut Disk) -> Folder {
        disk.parents_flushed |= self.bug != Some(Bug::ParentsNotFlushed);
        let content = match self.bug {
            Some(Bug::NoFlushBeforeRename) => Content::Written,
            _ => Content::Flushed,
        };
        Folder {
            content,
            ..Folder::default()
        }
    }
}

fn lose(disk: &mut Disk, names_kept: bool) {
    if !disk.parents_flushed && !names_kept {
        let none = vec![Folder::default(); disk.checkpoints.len()];
        *disk = Disk {
            checkpoints: none,
            ..Disk::default()
        };
        return;
    }
    for folder in disk.checkpoints.iter_mut().chain([&mut disk.adapter]) {
        if !folder.named || !(folder.name_flushed || names_kept) {
            *folder = Folder::default();
            continue;
        }
        folder.name_flushed = true;
        if folder.content == Content::Written {
            folder.content = Content::Torn;
        }
    }
    disk.log = disk.log_flushed;
}

/// `metrics_log::truncate`: cut by replacing the file, so that it is flushed.
pub(crate) fn cut_log(disk: &mut Disk, step: u8) {
    disk.log.cut(step);
    disk.log_flushed = disk.log;
}

//! The live stream of a job: what was missed from the store, then what comes, each stored thing once.
//!
//! Nothing is queued for a reader. Everybody who follows a job shares its [`board`], which is read from the store once
//! for all of them; a reader is woken, and takes what is behind the last sequence number that it has. One who is
//! further behind than the board goes back reads the store itself, a page at a time. So a slow reader costs a page of
//! memory at most, one who waits next to nothing, and the order is that of the record.

mod board;

use super::Service;
use crate::{
    error::{Error, chain},
    store::jobs,
};
use board::{Board, Place, read_page};
use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use shared::{
    event::{StreamMessage, StreamStart},
    id::{JobId, Subject},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};
use tokio::sync::watch;

/// Stored things that a reader who is behind reads, and holds until it has taken them, at a time.
const PAGE: i64 = 25;

/// What a job's stream tells, in order.
pub type JobStream = BoxStream<'static, Arc<Told>>;

/// One message of a job's stream, the same for everybody who follows.
#[derive(Debug)]
pub struct Told {
    /// Its place in the record, where it is stored: a stream opened with it as `after` goes on behind it.
    pub seq: Option<u64>,
    /// The message.
    pub message: StreamMessage,
    rendered: OnceLock<Bytes>,
}

impl Told {
    fn new(seq: Option<u64>, message: StreamMessage) -> Arc<Self> {
        Arc::new(Self {
            seq,
            message,
            rendered: OnceLock::new(),
        })
    }

    /// What `render` makes of it: made for the first who asks, shared by all others.
    pub fn rendered(&self, render: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.rendered.get_or_init(|| render(self)).clone()
    }
}

/// The boards of the jobs that somebody follows.
#[derive(Debug, Default)]
pub(crate) struct Boards(Mutex<HashMap<String, Weak<Board>>>);

impl Boards {
    /// How many streams are open.
    pub(crate) fn followers(&self) -> usize {
        let boards = self.lock();
        let followed = boards.values().filter_map(Weak::upgrade);
        followed.map(|board| board.followers()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Board>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Follows a job: first the job as it is, then everything stored behind `start`, a place in its record, then what
    /// comes, and `End` once the job has ended and all was sent. The stream ends without `End` when the service goes
    /// down, the job is deleted, or the store fails: open it again with the last sequence number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn stream(
        &self,
        subject: &Subject,
        id: &JobId,
        start: StreamStart<u64>,
    ) -> Result<JobStream, Error> {
        let last = self.last_place(subject, id).await?;
        let after = match start {
            StreamStart::Beginning => 0,
            StreamStart::After(place) => place,
            StreamStart::Now => last,
        };
        let board = self.board(subject, id);
        let follower = Follower {
            changed: board.subscribe(),
            place: Place::new(after),
            page: VecDeque::new(),
            board,
        };
        Ok(unfold(follower, Follower::next).boxed())
    }

    /// The last place in a job's record that is taken: where a stream goes on that tells what is recorded from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn last_place(&self, subject: &Subject, id: &JobId) -> Result<u64, Error> {
        let last = jobs::last_seq(self.inner.store.read(), subject, id).await?;
        last.ok_or(Error::NotFound("job"))
    }

    /// The board of a job, a new one where nobody else follows it.
    fn board(&self, subject: &Subject, id: &JobId) -> Arc<Board> {
        let mut boards = self.inner.boards.lock();
        if let Some(board) = boards.get(id.as_str()).and_then(Weak::upgrade)
            && !board.is_closed()
        {
            return board;
        }
        boards.retain(|_, board| board.strong_count() > 0);
        let board = Arc::new(Board::new(self.clone(), subject.clone(), id.clone()));
        boards.insert(id.to_string(), Arc::downgrade(&board));
        self.inner.tasks.spawn(board::keep(&board));
        board
    }
}

/// One reader's place in a job's record.
struct Follower {
    board: Arc<Board>,
    changed: watch::Receiver<()>,
    place: Place,
    /// Read from the store and not yet told.
    page: VecDeque<Arc<Told>>,
}

/// What a reader does next.
enum Next {
    Tell(Arc<Told>),
    /// It is behind the board: the store has what comes before the board's entries, up to this place.
    Read(u64),
    Wait,
    Leave,
}

impl Follower {
    async fn next(mut self) -> Option<(Arc<Told>, Self)> {
        loop {
            if let Some(told) = self.page.pop_front() {
                return Some((told, self));
            }
            self.changed.mark_unchanged();
            match self.board.next(&mut self.place) {
                Next::Tell(told) => return Some((told, self)),
                // In a box of its own, so that a reader who waits doesn't keep the room for it.
                Next::Read(until) => Box::pin(self.read(until)).await.ok()?,
                Next::Wait => self.changed.changed().await.ok()?,
                Next::Leave => return None,
            }
        }
    }

    /// Reads the next page of what the board doesn't go back to.
    async fn read(&mut self, until: u64) -> Result<(), Error> {
        let page = read_page(&self.board, self.place.after, PAGE).await;
        let mut page = page.inspect_err(|error| {
            tracing::warn!(error = %chain(error), job = %self.board.id, "a stream could not go on");
        })?;
        let read = page.len();
        page.retain(|told| told.seq.is_some_and(|seq| seq <= until));
        let is_all = (read as i64) < PAGE || page.len() < read;
        let last = page.last().and_then(|told| told.seq).filter(|_| !is_all);
        self.place.after = last.unwrap_or(until);
        self.page = page.into();
        Ok(())
    }
}

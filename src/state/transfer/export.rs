//! From a store to a file.

use std::io::Write;
use std::sync::Arc;

use super::{End, Header, Line, RejectionLine, SegmentLine, Summary, VERSION, export_error};
use crate::model::SyncId;
use crate::state::chunk::EntryChunk;
use crate::state::error::StateError;
use crate::state::packer::Packer;
use crate::state::segment::SegmentError;
use crate::state::snapshot::SnapshotReader;
use crate::state::store::{StateStore, StoredSegment};

/// How many rejections are read at a time.
const PAGE_REJECTIONS: u32 = 1_000;

/// Writes all that is remembered of a Sync to `out`, what stands in the journal included. Takes
/// no lock: what a run writes meanwhile may be in it or not.
///
/// # Errors
/// [`StateError::Export`] where nothing is known of the Sync or `out` can't be written, and what
/// reading the snapshot gives.
pub async fn export(
    store: Arc<dyn StateStore>,
    sync: &SyncId,
    out: &mut (dyn Write + Send),
) -> Result<Summary, StateError> {
    let Some(state) = store.sync(sync).await? else {
        return Err(export_error(format!("would be empty: nothing is known of {sync}")));
    };
    let mut file = File { out, crc: crc32fast::Hasher::new(), end: End::default() };
    let header = Header { version: VERSION, sync: sync.clone(), memo: state.memo };
    file.write(&Line::Header(Box::new(header)))?;
    write_segments(&store, sync, &mut file).await?;
    write_rejections(store.as_ref(), sync, &mut file).await?;
    let end = End { crc: file.crc.clone().finalize(), ..file.end };
    file.write(&Line::End(end))?;
    file.out.flush().map_err(|err| cannot_write(&err))?;
    Ok(Summary { sync: sync.clone(), rows: end.rows, rejections: end.rejections })
}

async fn write_segments(
    store: &Arc<dyn StateStore>,
    sync: &SyncId,
    file: &mut File<'_>,
) -> Result<(), StateError> {
    let damaged = |err: SegmentError| err.in_state("a segment", store.as_ref(), sync);
    let mut snapshot = SnapshotReader::open_with_journal(Arc::clone(store), sync.clone()).await?;
    let mut chunk = EntryChunk::default();
    let mut packer = Packer::default();
    let mut segments = Vec::new();
    while snapshot.next_chunk(&mut chunk).await? {
        for entry in chunk.iter() {
            packer.push(&entry);
        }
        packer.take_full(&mut segments).map_err(damaged)?;
        file.write_segments(&mut segments)?;
    }
    packer.take_rest(&mut segments).map_err(damaged)?;
    file.write_segments(&mut segments)
}

async fn write_rejections(
    store: &dyn StateStore,
    sync: &SyncId,
    file: &mut File<'_>,
) -> Result<(), StateError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = store.rejections(sync, after.as_deref(), PAGE_REJECTIONS).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for row in rows {
            file.write(&Line::Rejection(RejectionLine::from(row)))?;
            file.end.rejections += 1;
        }
    }
}

/// What is written, and what its last line will say.
struct File<'a> {
    out: &'a mut (dyn Write + Send),
    crc: crc32fast::Hasher,
    end: End,
}

impl File<'_> {
    fn write(&mut self, line: &Line) -> Result<(), StateError> {
        let mut bytes = serde_json::to_vec(line)
            .map_err(|_| StateError::Internal("a line can't be written as JSON".to_owned()))?;
        bytes.push(b'\n');
        self.crc.update(&bytes);
        self.out.write_all(&bytes).map_err(|err| cannot_write(&err))
    }

    fn write_segments(&mut self, segments: &mut Vec<StoredSegment>) -> Result<(), StateError> {
        for segment in segments.drain(..) {
            self.end.segments += 1;
            self.end.rows += u64::from(segment.count);
            self.write(&Line::Segment(SegmentLine::from(segment)))?;
        }
        Ok(())
    }
}

fn cannot_write(err: &std::io::Error) -> StateError {
    export_error(format!("can't be written: {}", err.kind()))
}

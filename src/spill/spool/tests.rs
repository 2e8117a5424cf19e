use proptest::prelude::*;

use super::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn read_all(reader: &mut SpoolReader) -> Result<Vec<Vec<u8>>, SpillError> {
    let mut records = Vec::new();
    while let Some(record) = reader.next().await? {
        records.push(record.to_vec());
    }
    Ok(records)
}

/// Repeats of a byte: long records from short inputs, so that chunks fill up.
fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let record = (any::<u8>(), 0usize..60_000).prop_map(|(byte, len)| vec![byte; len]);
    proptest::collection::vec(record, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_put_in_comes_out_in_order_while_it_is_written(
        records in records(),
        memory_bytes_max in prop_oneof![Just(0usize), 0usize..1_000_000],
        flush_every in 1usize..20,
    ) {
        let directory = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let (mut writer, mut reader) = spool(directory.path(), memory_bytes_max);

            let write = async {
                for (index, record) in records.iter().enumerate() {
                    writer.push(record).await.unwrap();
                    if index % flush_every == 0 {
                        writer.flush().await.unwrap();
                    }
                }
                writer.finish().await.unwrap();
            };
            let ((), read) = tokio::join!(write, read_all(&mut reader));

            assert_eq!(read.unwrap(), records);
        });
    }
}

#[tokio::test]
async fn a_writer_dropped_before_it_finished_is_an_error_after_what_it_wrote() {
    let (mut writer, mut reader) = spool("/nowhere", 1_000);
    writer.push(b"a").await.unwrap();
    writer.flush().await.unwrap();
    drop(writer);

    assert_eq!(reader.next().await.unwrap(), Some(&b"a"[..]));
    assert!(matches!(reader.next().await, Err(SpillError::Unfinished)));
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_fails_the_writer_and_frees_the_reader() {
    let (mut writer, mut reader) = spool("/nowhere/at-all", 0);
    writer.push(b"a").await.unwrap();

    let error = writer.flush().await.unwrap_err();

    assert!(matches!(&error, SpillError::Io { directory, .. } if directory == "/nowhere/at-all"));
    assert!(matches!(reader.next().await, Err(SpillError::Unfinished)));
    assert!(writer.finish().await.is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_an_error_of_the_writer() {
    let (mut writer, mut reader) = spool("/nowhere", 0);
    let full = File::options().write(true).open("/dev/full").unwrap();
    writer.file = Some(Arc::new(Mutex::new(full)));
    writer.push(b"a").await.unwrap();

    let error = writer.finish().await.unwrap_err();

    let SpillError::Io { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert!(matches!(reader.next().await, Err(SpillError::Unfinished)));
}

#[tokio::test]
async fn a_writer_learns_that_its_reader_is_gone() {
    let (mut writer, reader) = spool("/nowhere", 1_000);
    writer.push(b"a").await.unwrap();
    drop(reader);

    assert!(matches!(writer.flush().await, Err(SpillError::Closed)));
}

#[tokio::test]
async fn a_reader_that_waits_gets_what_there_is_when_the_writer_flushes() {
    let (mut writer, mut reader) = spool("/nowhere", 1_000);
    assert!(reader.is_momentarily_empty());
    assert!(!writer.reader_waits());

    let read = async { reader.next().await.unwrap().map(<[u8]>::to_vec) };
    let write = async {
        while !writer.reader_waits() {
            tokio::task::yield_now().await;
        }
        writer.push(b"a").await.unwrap();
        writer.flush().await.unwrap();
    };
    let (record, ()) = tokio::join!(read, write);

    assert_eq!(record.unwrap(), b"a");
    assert!(reader.is_momentarily_empty());
    writer.push(b"b").await.unwrap();
    writer.finish().await.unwrap();
    assert!(!reader.is_momentarily_empty());
}

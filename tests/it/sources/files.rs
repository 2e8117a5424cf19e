//! CSV files in real folders.

use std::fs;
use std::path::Path;

use ciosync::sources::error::SourceErrorKind;
use ciosync::sources::files::{FilesConfig, FilesSource};
use ciosync::sources::{Source, SourceError};
use tempfile::TempDir;

use super::{Table, assert_ordered, read, request, sql, table};

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn source(path: &Path) -> FilesSource {
    FilesSource::new(FilesConfig { url: path.to_str().unwrap().to_owned() }).unwrap()
}

async fn read_file(content: &[u8]) -> Result<Table, SourceError> {
    let directory = folder(&[("a.csv", content)]);
    read(&source(directory.path()), table("a.csv"), &["id"], &["id", "name"]).await
}

#[tokio::test]
async fn cells_are_text_and_empty_ones_null() {
    let content = b"\xef\xbb\xbfname,id,other\r\n\"A, \"\"b\"\"\n c\",2,x\r\n,10,\r\n\"\",1,\xff\r\nbad \xff,3,\r\n";

    let table = read_file(content).await.unwrap();

    assert_eq!(
        table.rows,
        [
            ["text 1", "null"],
            ["text 10", "null"],
            ["text 2", "text A, \"b\"\n c"],
            ["text 3", "undecodable: is not valid UTF-8"],
        ]
    );
}

#[tokio::test]
async fn all_files_of_a_folder_are_read_in_the_order_of_the_key() {
    let mut big = String::from("id,name\n");
    for index in 0..2_000 {
        big.push_str(&format!("{},n{index}\n", (index * 7_919) % 10_007));
    }
    let directory = folder(&[
        ("people/b.csv", big.as_bytes()),
        ("people/a.CSV", b"name,id\nfirst,00\n,\n"),
        ("people/notes.txt", b"not,csv"),
        ("people/.hidden.csv", b"x\n"),
    ]);

    let table = read(&source(directory.path()), table("people"), &["id"], &["id", "name"]).await;

    let table = table.unwrap();
    assert_eq!(table.rows.len(), 2_002);
    assert_ordered(&table);
    assert!(table.rows.contains(&vec!["text 00".to_owned(), "text first".to_owned()]));
}

#[tokio::test]
async fn a_broken_file_ends_the_read_with_its_name_and_line() {
    for (content, expected) in [
        (&b"id,name\n1,a\n2\n"[..], "a.csv: line 3 has 1 fields where the header has 2"),
        (b"id,name\n1,\"a\nb\",c\n", "a.csv: line 2 has 3 fields where the header has 2"),
        (
            b"id,name\n1,a\n2,\"b\n3,c\n",
            "a.csv: a quote is opened in the record at line 3 and never closed",
        ),
        (
            b"id,name\n1,a\n2,\"b",
            "a.csv: a quote is opened in the record at line 3 and never closed",
        ),
        (b"id,name,id\n", "a.csv: the header holds several columns named `id`"),
        (b"id,name,\n", "a.csv: the header holds a column without a name"),
        (b"", "a.csv: has no header line"),
        (b"id,email\n1,a\n", "the model returns no column `name`"),
    ] {
        let error = read_file(content).await.unwrap_err();

        assert_eq!(error.kind, SourceErrorKind::SchemaDrift);
        assert!(error.message.ends_with(expected), "{error}");
        assert!(error.hint.is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_file_may_end_with_or_without_a_line_break_even_in_its_header() {
    for (content, count) in [
        (&b"id,name"[..], 0),
        (b"id,name\n", 0),
        (b"id,name\r\n1,a", 1),
        (b"id,name\n1,5\"\n\n\n", 1),
        (b"id,name\n1,\"a\n\"", 1),
    ] {
        assert_eq!(read_file(content).await.unwrap().rows.len(), count, "{content:?}");
    }
}

#[tokio::test]
async fn a_record_without_end_does_not_fill_the_memory() {
    let mut content = b"id,name\n1,a\n2,\"".to_vec();
    content.resize(20 * 1024 * 1024, b'x');

    let error = read_file(&content).await.unwrap_err();

    assert!(
        error.message.ends_with("a.csv: the record at line 3 is longer than 16 MiB"),
        "{error}"
    );
}

#[tokio::test]
async fn files_of_a_folder_must_have_the_same_columns() {
    let directory = folder(&[("p/a.csv", b"id,name\n"), ("p/b.csv", b"id,email,phone\n")]);
    let source = source(directory.path());

    let described = source.describe(&table("p")).await.unwrap_err();
    let opened = read(&source, table("p"), &["id"], &["id"]).await.unwrap_err();

    for error in [described, opened] {
        assert_eq!(error.kind, SourceErrorKind::SchemaDrift);
        let expected = "b.csv: has another header than the folder's first file: \
                        lacks `name`, also has `email`, `phone`";
        assert!(error.message.ends_with(expected), "{error}");
    }
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_opened() {
    let directory = folder(&[("in/a.csv", b"id\n1\n"), ("out.csv", b"id\n2\n")]);
    let inside = directory.path().join("in");
    std::os::unix::fs::symlink(directory.path().join("out.csv"), inside.join("link.csv")).unwrap();
    std::os::unix::fs::symlink(inside.join("a.csv"), inside.join("own.csv")).unwrap();
    let absolute = directory.path().join("out.csv");
    let source = source(&inside);

    for name in ["../out.csv", "link.csv", "link", "./x/../../out.csv", absolute.to_str().unwrap()]
    {
        let error = source.describe(&table(name)).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::InvalidSpec, "{name}: {error}");
        assert!(error.message.contains("out of the Source's folder"), "{name}: {error}");
    }
    assert!(source.describe(&table(".")).await.is_err(), "a folder with such a link");
    assert_eq!(source.describe(&table("own")).await.unwrap()[0].name, "id");
}

#[tokio::test]
async fn what_is_not_there_or_no_table_says_what_to_write() {
    let directory = folder(&[("a.csv", b"id\n1\n"), ("empty/x.txt", b"")]);
    let source_of_folder = source(directory.path());
    let one_file = source(&directory.path().join("a.csv"));

    source_of_folder.probe().await.unwrap();
    let missing = source_of_folder.describe(&table("b")).await.unwrap_err();
    let empty = source_of_folder.describe(&table("empty")).await.unwrap_err();
    let query = source_of_folder.describe(&sql("select 1")).await.unwrap_err();
    let gone = source(&directory.path().join("gone")).probe().await.unwrap_err();

    assert_eq!(missing.message, "there is no file or folder `b`");
    assert_eq!(empty.message, "the folder `empty` holds no .csv file");
    assert_eq!(query.hint.as_deref(), Some("name the file or folder in model.table"));
    assert_eq!(gone.kind, SourceErrorKind::InvalidSpec);
    assert_eq!(one_file.describe(&table("a.csv")).await.unwrap().len(), 1);
    assert!(one_file.describe(&table("b.csv")).await.is_err());
}

#[tokio::test]
async fn a_sort_without_a_folder_for_its_temporary_files_fails_and_says_so() {
    let mut content = String::from("id,name\n");
    for index in 0..20_000 {
        content.push_str(&format!("{index},{}\n", "x".repeat(1_000)));
    }
    let directory = folder(&[("a.csv", content.as_bytes())]);
    let mut request = request(table("a.csv"), &["id"], &["id", "name"]);
    request.spill_dir = directory.path().join("nowhere");

    let outcome = source(directory.path()).open(&request).await;

    let error = outcome.err().unwrap();
    assert_eq!(error.kind, SourceErrorKind::SpillFailed);
    assert!(error.message.contains("nowhere"), "{error}");
}

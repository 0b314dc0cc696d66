//! The reader on bytes that are valid, truncated, altered and made up.

use super::encode::{END, magic};
use super::*;
use crate::model::record::Record;
use crate::model::{Field, Fields, Ty};
use crate::schema::{Column, TableOption, Type};

/// A record with a group, a foreign key and types of every kind, as a derive would write it.
fn record() -> Record {
    const TYPES: &[Field] = &[
        Field::Column("id", "", Ty::BIG_INTEGER),
        Field::Column("a", "", Ty::nullable(&Ty::array(&Ty::TEXT))),
        Field::Group(Fields { list: INNER, primary_key: &[], uniques: None, known: true }),
        Field::Column("b", "", Ty::enumeration("mood", &["sad", "glad"])),
    ];
    const INNER: &[Field] = &[
        Field::Column("c", "", Ty::per_dialect(&[("sqlite", "TEXT"), ("mysql", "inet6")])),
        Field::Column("d", "", Ty::decimal(300, 2)),
    ];
    Record {
        literal: b"\x05model\x04Post\x81\x01\x04post\
            \x04docs\x06A post\x06unique\0\x01\x01c\0\0\0\x06strict\0\
            \x04\
            \x06column\x02id\x07\0\x0bprimary_key\x01\x02id\0\
            \x06column\x01a\x08\x03a b\x0bforeign_key\0\x01\x01a\x07cascade\0\x12initially deferred\0\
            \x07flatten\x05inner\x09\
            \x06column\x01b\x0a\0\x07default\x04text\x03sad\x05check\0\0\x05b > 1\0",
        fields: TYPES,
        texts: &["blog::models", "src/models.rs", "/srv/blog", "user", "id"],
        groups: &[&Record {
            literal: b"\x07columns\0\x02\x06column\x01c\x01\0\0\x06column\x01d\x02\0\
                \x05index\x01i\x01\0\0\0\0\0\0\x01\0\x01d\0\x01\0\0\0\0",
            fields: INNER,
            texts: &[],
            groups: &[],
        }],
    }
}

/// The record's bytes as they are stored in a file.
fn bytes(record: &Record) -> Vec<u8> {
    let payload = record.payload();
    let length = (payload.len() as u32).to_le_bytes();
    [&magic(0)[..], &FORMAT.to_le_bytes(), &length, &payload, &END].concat()
}

#[test]
fn a_record_is_read_back() {
    let scan = scan(&[b"before", &bytes(&record())[..], b"after"].concat());
    assert_eq!(scan.damaged, []);
    let [record] = &scan.records[..] else { panic!("{scan:?}") };
    assert_eq!((record.path.as_str(), record.line), ("blog::models::Post", 129));
    assert_eq!(
        (record.file.as_str(), record.manifest_dir.as_str()),
        ("src/models.rs", "/srv/blog")
    );
    assert_eq!(record.table.columns[1], Column::new("a b", Type::array(Type::Text)));
    let names: Vec<_> = record.table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "a b", "c", "d", "b"]);
    assert_eq!(record.table.foreign_keys[0].name, "fk_post_a b_user");
    assert_eq!(record.table.uniques[0].name, "uq_post_c");
    assert_eq!(record.table.indexes[0].name, "i");
    assert_eq!(record.table.checks[0].name, "ck_post_b");
    assert_eq!(record.fields[3].line, 9, "the line that the group is flattened at");
    assert!(record.table.has(TableOption::Strict) && !record.table.columns[0].nullable);
}

#[test]
fn the_static_has_the_same_bytes() {
    const RECORD: Record = Record { literal: b"\x06canary", fields: &[], texts: &[], groups: &[] };
    let bytes = bytes(&RECORD);
    assert_eq!(bytes.len(), size_of::<Bytes<7, 0>>());
    assert_eq!(bytes.len(), size_of_val(&CANARY));
    assert!(scan(&bytes).canary);
}

#[test]
fn a_record_that_is_cut_off_is_an_error() {
    let bytes = bytes(&record());
    for length in 0..bytes.len() {
        let scan = scan(&bytes[..length]);
        assert_eq!(scan.records, []);
        let errors: Vec<_> = scan.damaged.iter().map(ToString::to_string).collect();
        match length {
            0..8 => assert_eq!(errors, [""; 0]),
            _ => assert_eq!(errors, ["the model record at offset 0 is cut off"]),
        }
    }
}

#[test]
fn no_change_of_a_byte_makes_the_reader_panic() {
    let original = bytes(&record());
    let mut bytes = original.clone();
    for idx in 0..bytes.len() {
        for value in 0..=255 {
            bytes[idx] = value;
            let scan = scan(&bytes);
            let said = scan.records.len() + scan.damaged.len();
            assert!(said == 1 || idx < 8, "byte {idx} as {value}: {scan:?}");
        }
        bytes[idx] = original[idx];
    }
}

#[test]
fn made_up_payloads_are_errors() {
    let framed = |payload: &[u8]| {
        let length = (payload.len() as u32).to_le_bytes();
        let bytes = [&magic(0)[..], &FORMAT.to_le_bytes(), &length, payload, &END].concat();
        scan(&bytes).damaged.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let literal = |literal: &[u8], holes: &[u8]| {
        framed(&[&(literal.len() as u32).to_le_bytes()[..], literal, holes].concat())
    };
    assert_eq!(framed(b""), "the model record at offset 14 reads past its end");
    assert_eq!(framed(&[255; 4]), "the model record at offset 18 reads past its end");
    assert_eq!(
        literal(b"\x05thing", b""),
        "the model record has an unknown kind `thing` at offset 18"
    );
    assert_eq!(literal(b"\x06canary", b"x"), "the model record has 1 bytes too many at offset 25");
    assert_eq!(
        literal(b"\x05model\x01A\x01\x01a\x03new", b""),
        "the model record has an unknown word `new` at offset 29"
    );
    assert_eq!(
        literal(b"\x05model\x01A\x01\x01\xff", b""),
        "the model record's text at offset 28 is not UTF-8"
    );
    assert_eq!(
        literal(b"\x05model\x01A\xff\xff\xff\xff\xff", b""),
        "the model record's number at offset 26 is out of range"
    );
    assert_eq!(
        literal(b"\x05model\x01A\x01\x01a\x06unique\0\x01\x01x\0\0\0\0\0", b"\x01m\x01f\x01d"),
        "the model record at offset 14 names a column `x` that it doesn't have"
    );
    assert_eq!(
        literal(
            b"\x05model\x01A\x01\x01a\0\x02\x06column\x01a\x01\0\0\x06column\x01b\x01\x01a\0",
            b"\x01\x01\x01m\x01f\x01d"
        ),
        "the model record at offset 14 has the column `a` twice"
    );
    let deep = [&[106; 40][..], b"\x01m\x01f\x01d"].concat();
    assert_eq!(
        literal(b"\x05model\x01A\x01\x01a\0\x01\x06column\x01a\x01\0\0", &deep),
        "the model record at offset 76 is nested too deeply"
    );
}

#[test]
fn another_format_and_a_missing_end_are_named() {
    let mut bytes = bytes(&record());
    bytes[8] = 9;
    let scan_of = |bytes: &[u8]| scan(bytes).damaged;
    let [error] = &scan_of(&bytes)[..] else { panic!() };
    assert_eq!(error.is_other_format(), Some(9));
    assert_eq!(
        error.to_string(),
        "the model record at offset 0 has format 9, but this version reads format 4"
    );
    bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
    *bytes.last_mut().unwrap() = 0;
    let [error] = &scan_of(&bytes)[..] else { panic!() };
    assert_eq!((error.offset(), error.is_other_format()), (0, None));
    assert_eq!(error.to_string(), "the model record at offset 0 has no end mark");
}

#[test]
fn a_record_is_found_wherever_it_begins() {
    let canary = bytes(&Record { literal: b"\x06canary", fields: &[], texts: &[], groups: &[] });
    for before in 0..40 {
        let mut file = vec![canary[7]; before];
        file.extend_from_slice(&canary);
        file.extend_from_slice(&canary[..7]);
        let scan = scan(&file);
        assert!(scan.canary && scan.damaged.is_empty(), "{before}");
    }
}

//! Values go in and come out alike, with parameters and without.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::driver::{Connection as _, Driver as _};
use dbmigrate_tests::servers;
use expect_test::expect;

#[test]
fn values_are_the_same_in_both_protocols() {
    for server in servers::mysql("values_are_the_same_in_both_protocols") {
        let mut driver = crate::driver(&server.database());
        driver
            .batch(
                "CREATE TABLE v (a TINYINT(1), b BIGINT UNSIGNED, c DECIMAL(20, 4), d DOUBLE, \
                 e FLOAT, f VARCHAR(20), g BINARY(16), h LONGBLOB, i DATE, j DATETIME(6), \
                 k TIME(6), l JSON, m YEAR, n BIT(3), o DECIMAL(10, 0), p TIMESTAMP(3) NULL, \
                 q ENUM('x', 'y'), r TEXT)",
            )
            .expect("a table");
        let insert = "INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
                      2024, b'101', ?13, ?14, 'y', ?15)";
        let text = |text: &str| Value::Text(text.to_owned());
        let values = [
            Value::Bool(true),
            text("18446744073709551615"),
            text("1234567890123456.7891"),
            Value::Real(0.1),
            Value::Real(0.1),
            text("it's \\ \"é\""),
            Value::Blob((0..16).map(|byte| byte * 16).collect()),
            Value::Blob(vec![0, 255, 39, 92]),
            text("2024-02-29"),
            text("2024-02-29 01:02:03.450000"),
            text("-23:59:59.5"),
            text("{\"a\": 1}"),
            Value::Integer(42),
            text("2024-02-29 01:02:03.4"),
            text("long"),
        ];
        assert_eq!(driver.execute(insert, &values).expect("a row"), 1);
        let by_text = driver.query("SELECT * FROM v", &[]).expect("a row").rows;
        let by_binary = driver.query("SELECT * FROM v WHERE m = ?1", &[Value::Integer(2024)]);
        assert_eq!(by_text, by_binary.expect("a row").rows, "{}", server.name);
        let shown: String = by_text[0].iter().map(|value| format!("{value:?}\n")).collect();
        expect![[r#"
            Integer(1)
            Text("18446744073709551615")
            Text("1234567890123456.7891")
            Real(0.1)
            Real(0.1)
            Text("it's \\ \"é\"")
            Blob([0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240])
            Blob([0, 255, 39, 92])
            Text("2024-02-29")
            Text("2024-02-29 01:02:03.45")
            Text("-23:59:59.5")
            Text("{\"a\": 1}")
            Integer(2024)
            Integer(5)
            Integer(42)
            Text("2024-02-29 01:02:03.4")
            Text("y")
            Text("long")
        "#]]
        .assert_eq(&shown);
        let nothing = driver.query("SELECT NULL, ?1", &[Value::Null]).expect("a row").rows;
        assert_eq!(nothing, [[Value::Null, Value::Null]]);
        // An update that changes nothing has found its row.
        assert_eq!(driver.execute("UPDATE v SET m = 2024", &[]).expect("rows"), 1);
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    for server in servers::mysql("what_does_not_fit_is_an_error") {
        let mut driver = crate::driver(&server.database());
        driver.batch("CREATE TABLE v (a VARCHAR(3) UNIQUE, b TINYINT)").expect("a table");
        let mut fails = |sql: &str| driver.execute(sql, &[]).expect_err(sql);
        assert!(fails("INSERT INTO v VALUES ('abcd', 1)").is_of_row());
        assert!(fails("INSERT INTO v VALUES ('a', 300)").is_of_row());
        assert!(fails("SELECT * FROM nosuch").is_missing());
        assert!(fails("CREATE TABLE v (a INT)").is_taken());
        driver.execute("INSERT INTO \"v\" VALUES ('a', 0)", &[]).expect("a name in quotes");
        let twice = driver.execute("INSERT INTO v VALUES ('a', 0)", &[]).expect_err("twice");
        assert!(twice.is_duplicate());
    }
}

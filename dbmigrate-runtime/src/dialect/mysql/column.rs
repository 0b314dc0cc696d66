//! A column's definition in parts, as a statement or `SHOW CREATE TABLE` writes it.
//!
//! `MODIFY` forgets everything that it isn't told. So a change of a column starts from what the
//! server has, and replaces only what the operation changes.

use super::flavor::{closed, text};
use crate::sql::{Kind, Token};

/// A column without its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) ty: String,
    pub(super) charset: Option<String>,
    pub(super) collate: Option<String>,
    pub(super) nullable: bool,
    /// The text after `DEFAULT`.
    pub(super) default: Option<String>,
    pub(super) on_update: Option<String>,
    pub(super) auto_increment: bool,
    /// The expression, and whether its results are stored.
    pub(super) generated: Option<(String, bool)>,
    pub(super) comment: Option<String>,
    pub(super) invisible: bool,
    /// The condition of a check that belongs to the column, as MariaDB has them.
    pub(super) check: Option<String>,
}

impl Definition {
    pub(super) fn sql(&self) -> String {
        let mut sql = self.ty.clone();
        if let Some(charset) = &self.charset {
            sql += &format!(" CHARACTER SET {charset}");
        }
        if let Some(collate) = &self.collate {
            sql += &format!(" COLLATE {collate}");
        }
        if let Some((expression, stored)) = &self.generated {
            let how = if *stored { "STORED" } else { "VIRTUAL" };
            sql += &format!(" GENERATED ALWAYS AS ({}) {how}", closed(expression));
        }
        if !self.nullable {
            sql += " NOT NULL";
        } else if self.generated.is_none() {
            // A timestamp is required unless it is told.
            sql += " NULL";
        }
        if self.invisible {
            sql += " INVISIBLE";
        }
        if let Some(default) = &self.default {
            sql += &format!(" DEFAULT {default}");
        }
        if let Some(on_update) = &self.on_update {
            sql += &format!(" ON UPDATE {on_update}");
        }
        if self.auto_increment {
            sql += " AUTO_INCREMENT";
        }
        if let Some(comment) = &self.comment {
            sql += &format!(" COMMENT {}", text(comment));
        }
        if let Some(check) = &self.check {
            sql += &format!(" CHECK ({check})");
        }
        sql
    }

    /// The server's definition with those parts replaced in which the two declared ones differ.
    pub(super) fn changed(&self, was: &Definition, to: &Definition) -> Definition {
        fn pick<T: Clone + PartialEq>(own: &T, was: &T, to: &T) -> T {
            if was == to { own.clone() } else { to.clone() }
        }
        let is_typed = was.ty != to.ty;
        Definition {
            ty: pick(&self.ty, &was.ty, &to.ty),
            charset: if is_typed || was.collate != to.collate {
                to.charset.clone()
            } else {
                self.charset.clone()
            },
            collate: if is_typed {
                to.collate.clone()
            } else {
                pick(&self.collate, &was.collate, &to.collate)
            },
            nullable: pick(&self.nullable, &was.nullable, &to.nullable),
            // A default may be spelled in another way for another type.
            default: if is_typed && to.default.is_some() {
                to.default.clone()
            } else {
                pick(&self.default, &was.default, &to.default)
            },
            on_update: if is_typed {
                to.on_update.clone()
            } else {
                pick(&self.on_update, &was.on_update, &to.on_update)
            },
            auto_increment: pick(&self.auto_increment, &was.auto_increment, &to.auto_increment),
            generated: pick(&self.generated, &was.generated, &to.generated),
            comment: pick(&self.comment, &was.comment, &to.comment),
            invisible: pick(&self.invisible, &was.invisible, &to.invisible),
            // The one that a type brings with it goes with it.
            check: self.check.clone().filter(|check| !is_typed || !is_of_type(check)),
        }
    }

    /// Reads the part after the name of a line of `SHOW CREATE TABLE`. Also returns the words that
    /// aren't understood.
    pub(super) fn read(sql: &str, tokens: &[Token<'_>]) -> (Definition, Vec<String>) {
        let mut reader = Reader { sql, tokens, at: 0 };
        let mut definition = Definition { nullable: true, ..Definition::default() };
        let mut unknown = Vec::new();
        definition.ty = reader.ty();
        while let Some(token) = reader.next() {
            let is = |word: &str| token.is_word(word);
            if is("CHARACTER") {
                reader.skip("SET");
                definition.charset = reader.next().map(|token| token.text.to_owned());
            } else if is("COLLATE") {
                definition.collate = reader.next().map(|token| token.text.to_owned());
            } else if is("NOT") {
                reader.skip("NULL");
                definition.nullable = false;
            } else if is("NULL") {
                definition.nullable = true;
            } else if is("DEFAULT") {
                let default = reader.value();
                definition.default =
                    Some(default).filter(|text| !text.eq_ignore_ascii_case("NULL"));
            } else if is("ON") {
                reader.skip("UPDATE");
                definition.on_update = Some(reader.value());
            } else if is("AUTO_INCREMENT") {
                definition.auto_increment = true;
            } else if is("GENERATED") || is("ALWAYS") {
            } else if is("AS") {
                let expression = reader.parenthesised();
                definition.generated = Some((expression, false));
            } else if is("STORED") || is("PERSISTENT") {
                if let Some((_, stored)) = &mut definition.generated {
                    *stored = true;
                }
            } else if is("VIRTUAL") || is("VISIBLE") {
            } else if is("INVISIBLE") {
                definition.invisible = true;
            } else if is("COMMENT") {
                let comment = reader.next().and_then(|token| token.unquoted());
                definition.comment = comment.map(|text| text.into_owned());
            } else if is("CHECK") {
                definition.check = Some(reader.parenthesised());
            } else if ["/*!", "/*M!"].iter().any(|start| token.text.starts_with(start))
                || token.text == "*/"
            {
            } else {
                unknown.push(token.text.to_owned());
            }
        }
        (definition, unknown)
    }
}

/// Whether a check is the one by which MariaDB has JSON.
fn is_of_type(check: &str) -> bool {
    check.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("json_valid"))
}

/// Reads a definition from left to right.
struct Reader<'t, 'a> {
    sql: &'a str,
    tokens: &'t [Token<'a>],
    at: usize,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn next(&mut self) -> Option<&'t Token<'a>> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    fn skip(&mut self, word: &str) {
        if self.peek().is_some_and(|token| token.is_word(word)) {
            self.at += 1;
        }
    }

    /// The text from one token to before another.
    fn between(&self, from: usize, to: usize) -> String {
        let start = self.tokens.get(from).map_or(self.sql.len(), |token| token.start);
        let last = self.tokens.get(to.saturating_sub(1)).filter(|_| to > from);
        let end = last.map_or(start, Token::end);
        self.sql[start..end].to_owned()
    }

    /// Where the parentheses that open here are closed.
    fn close(&self, open: usize) -> usize {
        let mut depth = 0;
        for (idx, token) in self.tokens.iter().enumerate().skip(open) {
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                depth -= 1;
                if depth == 0 {
                    return idx;
                }
            }
        }
        self.tokens.len()
    }

    fn ty(&mut self) -> String {
        let from = self.at;
        self.next();
        if self.peek().is_some_and(|token| token.is_symbol("(")) {
            self.at = self.close(self.at) + 1;
        }
        while self.peek().is_some_and(|token| {
            ["UNSIGNED", "ZEROFILL", "PRECISION", "VARYING"].iter().any(|word| token.is_word(word))
        }) {
            self.at += 1;
        }
        self.between(from, self.at)
    }

    /// A literal, a function's call, or an expression in parentheses.
    fn value(&mut self) -> String {
        let from = self.at;
        if self.peek().is_some_and(|token| token.is_symbol("-") || token.is_symbol("+")) {
            self.at += 1;
        }
        if self.peek().is_some_and(|token| token.is_symbol("(")) {
            self.at = self.close(self.at) + 1;
            return self.between(from, self.at);
        }
        let is_word = self.next().is_some_and(|token| token.kind == Kind::Word);
        // An introducer, as in `_utf8mb4'x'`.
        if is_word && self.peek().is_some_and(|token| matches!(token.kind, Kind::Text | Kind::Blob))
        {
            self.at += 1;
        }
        while self.peek().is_some_and(|token| token.is_symbol("(")) {
            self.at = self.close(self.at) + 1;
        }
        self.between(from, self.at)
    }

    /// The expression in parentheses, without them.
    fn parenthesised(&mut self) -> String {
        if !self.peek().is_some_and(|token| token.is_symbol("(")) {
            return String::new();
        }
        let open = self.at;
        let close = self.close(open);
        self.at = close + 1;
        self.between(open + 1, close)
    }
}

#[cfg(test)]
mod tests {
    use super::super::flavor::Flavor;
    use super::*;

    fn read(flavor: Flavor, sql: &str) -> (Definition, Vec<String>) {
        Definition::read(sql, &flavor.lexicon().significant(sql))
    }

    #[test]
    fn a_definition_is_written_as_it_was_read() {
        for sql in [
            "bigint(20) NOT NULL AUTO_INCREMENT",
            "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL DEFAULT 'it''s'",
            "timestamp(6) NULL ON UPDATE current_timestamp(6)",
            "int(10) unsigned NOT NULL DEFAULT -1 COMMENT 'a, b'",
            "int GENERATED ALWAYS AS ((`a` * (2 + 1))) STORED",
            "longtext NULL INVISIBLE DEFAULT (concat('(',_utf8mb4'x')) CHECK (json_valid(`j`))",
            "enum('a','b)') NOT NULL DEFAULT 'a'",
        ] {
            let (definition, unknown) = read(Flavor::Mariadb, sql);
            assert_eq!(definition.sql(), sql);
            assert!(unknown.is_empty(), "{unknown:?}");
        }
        let sql = "int DEFAULT NULL /*!80023 INVISIBLE */";
        let (definition, unknown) = read(Flavor::Mysql, sql);
        assert_eq!(definition.sql(), "int NULL INVISIBLE");
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_an_operation_does_not_change_stays_as_the_server_has_it() {
        let read = |sql: &str| read(Flavor::Mysql, sql).0;
        let own = read("int NULL DEFAULT '5' COMMENT 'theirs'");
        let (was, to) = (read("int NULL"), read("bigint NOT NULL"));
        let sql = "bigint NOT NULL DEFAULT '5' COMMENT 'theirs'";
        assert_eq!(own.changed(&was, &to).sql(), sql);
        let to = read("int NOT NULL");
        assert_eq!(own.changed(&was, &to).sql(), "int NOT NULL DEFAULT '5' COMMENT 'theirs'");
    }
}

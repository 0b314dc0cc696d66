//! Changes parts of a definition, and writes it as text.

use super::trivia::{comments, has_comment};
use super::{Clause, ColumnItem, ConstraintItem, Definition, Written, table_options};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::sql::quote;

impl Definition {
    /// Whether a constraint of the table or of a column has this name.
    pub(crate) fn has_constraint(&self, name: &str) -> bool {
        let of_columns = self
            .columns
            .iter()
            .flat_map(|column_item| &column_item.clauses)
            .map(|clause| &clause.name);
        let mut names =
            self.constraints.iter().map(|constraint| &constraint.name).chain(of_columns).flatten();
        names.any(|other| other.eq_ignore_ascii_case(name))
    }

    /// The statement for a table with this name. Unchanged parts keep their text, byte for byte.
    pub(crate) fn text(&self, table: &str) -> String {
        let mut out = Writer::default();
        out.push("CREATE TABLE ");
        out.push(&quote(table));
        out.push(if self.open.is_empty() { " " } else { &self.open });
        out.push("(");
        let style = self.style();
        let columns =
            self.columns.iter().map(|column_item| (column_item.text(), &column_item.layout));
        let constraints =
            self.constraints.iter().map(|constraint| (constraint.text(), &constraint.layout));
        let mut items = columns.chain(constraints).enumerate().peekable();
        while let Some((idx, (text, layout))) = items.next() {
            match &layout.lead {
                Some(lead) => out.push(lead),
                None if idx == 0 && style == " " => {}
                None => out.push(&style),
            }
            out.push(text);
            out.push(&layout.after);
            if items.peek().is_some() {
                out.push(",");
            }
            out.push(&layout.trailing);
        }
        out.push(&self.close);
        out.push(")");
        if self.options == self.tail_options {
            out.push(&self.tail);
        } else {
            out.push(&table_options(&self.options));
            for comment in comments(&self.tail) {
                out.push(" ");
                out.push(comment);
            }
        }
        out.finish()
    }

    /// The white space before an added item: a new line as before the other items, or a space.
    pub(super) fn style(&self) -> String {
        let columns = self.columns.iter().map(|column_item| &column_item.layout);
        let layouts = columns.chain(self.constraints.iter().map(|constraint| &constraint.layout));
        let mut leads = layouts.filter_map(|layout| layout.lead.as_deref());
        let line = leads.find_map(|lead| lead.rfind('\n').map(|at| &lead[at + 1..]));
        line.map_or_else(
            || " ".to_owned(),
            |line| {
                let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
                format!("\n{}", &line[..indent])
            },
        )
    }
}

impl ColumnItem {
    /// The definition as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Sets the column's type; an empty text removes it.
    pub(crate) fn set_type(&mut self, ty: &str) {
        let mut written = Writer::default();
        written.push(ty.trim_ascii());
        for comment in comments(&self.written.ty) {
            written.push(" ");
            written.push(comment);
        }
        self.written.ty = written.finish();
        ty.trim_ascii().clone_into(&mut self.ty);
        self.rewrite();
    }

    /// Removes the clauses that match; the comments around them stay.
    pub(crate) fn remove_clauses(&mut self, remove: impl Fn(&Clause) -> bool) {
        if !self.clauses.iter().any(&remove) {
            return;
        }
        let mut left = Writer::default();
        for mut clause in std::mem::take(&mut self.clauses) {
            if remove(&clause) {
                left.push(clause.comments_before());
                for comment in comments(&clause.text) {
                    left.push(" ");
                    left.push(comment);
                }
            } else {
                left.push(clause.lead());
                clause.lead = std::mem::take(&mut left).finish();
                self.clauses.push(clause);
            }
        }
        left.push(&self.written.end);
        self.written.end = left.finish();
        self.rewrite();
    }

    /// Adds a clause after the others.
    ///
    /// # Errors
    ///
    /// When the text isn't one clause.
    pub(crate) fn push_clause(&mut self, text: &str) -> Result<(), String> {
        let mut clause = Clause::new(text)?;
        let mut lead = Writer::default();
        lead.push(&std::mem::take(&mut self.written.end));
        lead.push(" ");
        clause.lead = lead.finish();
        self.clauses.push(clause);
        self.rewrite();
        Ok(())
    }

    fn rewrite(&mut self) {
        let Written { name, type_lead, ty, end } = &self.written;
        let mut out = Writer::default();
        out.push(name);
        if ty.is_empty() {
            out.push(if has_comment(type_lead) { type_lead.trim_ascii_end() } else { "" });
        } else {
            out.push(if type_lead.is_empty() { " " } else { type_lead });
            out.push(ty);
        }
        for clause in &self.clauses {
            out.push(clause.lead());
            out.push(&clause.text);
        }
        out.push(end);
        self.text = out.finish();
    }
}

impl Clause {
    /// White space and comments before the clause.
    fn lead(&self) -> &str {
        if self.lead.is_empty() { " " } else { &self.lead }
    }
}

impl ConstraintItem {
    /// The constraint as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A text that other text can follow.
pub(super) fn closed(text: &str) -> String {
    let mut out = Writer::default();
    out.push(text.trim_ascii());
    out.finish()
}

/// Concatenates texts so that a comment at the end of one doesn't hide the next.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    /// What ends a comment at the end of the text so far.
    pending: &'static str,
}

impl Writer {
    pub(super) fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !(self.pending == "\n" && text.starts_with('\n')) {
            self.out.push_str(self.pending);
        }
        self.out.push_str(text);
        self.pending = match LEXICON.tokens(text).last() {
            Some(token) if token.is_line_comment() => "\n",
            Some(token) if !token.is_closed() => "*/",
            _ => "",
        };
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str(self.pending);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::ClauseKind;
    use super::*;
    use crate::schema::TableOption;

    /// Changes a table and expects its text, which is then parsed again.
    #[track_caller]
    fn check(sql: &str, change: impl Fn(&mut Definition), expect: Expect) {
        let mut definition = Definition::parse(sql).unwrap();
        change(&mut definition);
        let text = definition.text(&definition.name);
        expect.assert_eq(&text);
        let again = Definition::parse(&text).unwrap();
        let names = |definition: &Definition| {
            definition
                .columns
                .iter()
                .map(|column_item| (column_item.name.clone(), column_item.clauses.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&again), names(&definition));
        assert_eq!(again.constraints.len(), definition.constraints.len());
        assert_eq!(again.options, definition.options);
    }

    fn push(definition: &mut Definition) {
        definition.columns.push(ColumnItem::new("\"new\" TEXT").unwrap());
        definition.constraints.push(ConstraintItem::new("CHECK (\"new\" <> '')").unwrap());
    }

    const COMMENTED: &str = "CREATE TABLE t (
    id INTEGER PRIMARY KEY, -- the key
    -- how old:
    age INT NOT NULL DEFAULT 0 CHECK (age >= 0), -- in years
    name TEXT -- the last
) -- end";

    #[test]
    fn items_are_added_in_the_table_s_own_layout() {
        check(
            COMMENTED,
            push,
            expect![[r#"
            CREATE TABLE "t" (
                id INTEGER PRIMARY KEY, -- the key
                -- how old:
                age INT NOT NULL DEFAULT 0 CHECK (age >= 0), -- in years
                name TEXT, -- the last
                "new" TEXT,
                CHECK ("new" <> '')
            ) -- end
        "#]],
        );
        check(
            "CREATE TABLE t(a INT)",
            push,
            expect![[r#"CREATE TABLE "t" (a INT, "new" TEXT, CHECK ("new" <> ''))"#]],
        );
        check(
            "CREATE TABLE t (a INT -- c\n)",
            push,
            expect![[r#"
            CREATE TABLE "t" (a INT, -- c
             "new" TEXT, CHECK ("new" <> '')
            )"#]],
        );
        check(
            "CREATE TABLE t (\n\ta INT,\n\tUNIQUE (a) /* u */\n) STRICT",
            push,
            expect![[r#"
            CREATE TABLE "t" (
            	a INT,
            	"new" TEXT,
            	UNIQUE (a), /* u */
            	CHECK ("new" <> '')
            ) STRICT"#]],
        );
        check(
            "CREATE TABLE t (a INT\n, b INT -- b\n, c INT)",
            push,
            expect![[r#"
            CREATE TABLE "t" (a INT
            , b INT -- b
            , c INT, "new" TEXT, CHECK ("new" <> ''))"#]],
        );
    }

    #[test]
    fn items_are_removed_with_their_comments() {
        let remove = |name: &'static str| {
            move |definition: &mut Definition| {
                definition.columns.retain(|column_item| column_item.name != name)
            }
        };
        check(
            COMMENTED,
            remove("id"),
            expect![[r#"
            CREATE TABLE "t" (
                -- how old:
                age INT NOT NULL DEFAULT 0 CHECK (age >= 0), -- in years
                name TEXT -- the last
            ) -- end
        "#]],
        );
        check(
            COMMENTED,
            remove("age"),
            expect![[r#"
            CREATE TABLE "t" (
                id INTEGER PRIMARY KEY, -- the key
                name TEXT -- the last
            ) -- end
        "#]],
        );
        check(
            COMMENTED,
            remove("name"),
            expect![[r#"
            CREATE TABLE "t" (
                id INTEGER PRIMARY KEY, -- the key
                -- how old:
                age INT NOT NULL DEFAULT 0 CHECK (age >= 0) -- in years
            ) -- end
        "#]],
        );
        check(
            "CREATE TABLE t (a INT -- a\n, b INT -- b\n, c INT)",
            remove("c"),
            expect![[r#"
            CREATE TABLE "t" (a INT -- a
            , b INT -- b
            )"#]],
        );
        check(
            "CREATE TABLE t (a INT, b INT, -- b\nc INT)",
            remove("c"),
            expect![[r#"
            CREATE TABLE "t" (a INT, b INT -- b
            )"#]],
        );
    }

    #[test]
    fn a_changed_column_is_rewritten_and_the_others_stay() {
        let age = |definition: &mut Definition, change: fn(&mut ColumnItem)| {
            change(
                definition
                    .columns
                    .iter_mut()
                    .find(|column_item| column_item.name == "age")
                    .unwrap(),
            );
        };
        check(
            COMMENTED,
            |definition| age(definition, |column_item| column_item.set_type("VARCHAR(10)")),
            expect![[r#"
            CREATE TABLE "t" (
                id INTEGER PRIMARY KEY, -- the key
                -- how old:
                age VARCHAR(10) NOT NULL DEFAULT 0 CHECK (age >= 0), -- in years
                name TEXT -- the last
            ) -- end
        "#]],
        );
        check(
            COMMENTED,
            |definition| age(definition, |column_item| column_item.set_type("")),
            expect![[r#"
            CREATE TABLE "t" (
                id INTEGER PRIMARY KEY, -- the key
                -- how old:
                age NOT NULL DEFAULT 0 CHECK (age >= 0), -- in years
                name TEXT -- the last
            ) -- end
        "#]],
        );
        check(
            COMMENTED,
            |definition| {
                age(definition, |column_item| {
                    column_item
                        .remove_clauses(|clause| matches!(clause.kind, ClauseKind::Default(_)));
                    column_item.push_clause("DEFAULT 18 -- grown up").unwrap();
                    column_item.push_clause("CONSTRAINT x UNIQUE").unwrap();
                });
            },
            expect![[r#"
                CREATE TABLE "t" (
                    id INTEGER PRIMARY KEY, -- the key
                    -- how old:
                    age INT NOT NULL CHECK (age >= 0) DEFAULT 18 CONSTRAINT x UNIQUE, -- in years
                    name TEXT -- the last
                ) -- end
            "#]],
        );
    }

    #[test]
    fn a_comment_at_an_item_s_end_swallows_nothing() {
        let new = |text: &'static str| {
            move |definition: &mut Definition| {
                definition.columns.insert(0, ColumnItem::new(text).unwrap())
            }
        };
        check(
            "CREATE TABLE t (a INT)",
            new(" b INT -- b"),
            expect![[r#"
            CREATE TABLE "t" (b INT -- b
            ,a INT)"#]],
        );
        check(
            "CREATE TABLE t (a INT)",
            new("/* b */ b INT /* b"),
            expect![[r#"CREATE TABLE "t" (/* b */ b INT /* b*/,a INT)"#]],
        );
        let only = |definition: &mut Definition| {
            definition.columns = vec![ColumnItem::new("b -- b").unwrap()]
        };
        check(
            "CREATE TABLE t (a INT)",
            only,
            expect![[r#"
            CREATE TABLE "t" (b -- b
            )"#]],
        );
        let last = |definition: &mut Definition| {
            definition.constraints = vec![ConstraintItem::new("UNIQUE (a) /* open").unwrap()];
        };
        check(
            "CREATE TABLE t (a INT)",
            last,
            expect![[r#"CREATE TABLE "t" (a INT, UNIQUE (a) /* open*/)"#]],
        );
    }

    #[test]
    fn options_are_rewritten_when_they_change() {
        let strict =
            |definition: &mut Definition| definition.options.set(TableOption::Strict, true);
        check(
            "CREATE TABLE t (a INT PRIMARY KEY) without rowid -- x",
            strict,
            expect![[r#"
                CREATE TABLE "t" (a INT PRIMARY KEY) STRICT, WITHOUT ROWID -- x
            "#]],
        );
        let neither =
            |definition: &mut Definition| definition.options.set(TableOption::Strict, false);
        check("CREATE TABLE t (a INT) STRICT", neither, expect![[r#"CREATE TABLE "t" (a INT)"#]]);
    }

    #[test]
    fn what_is_not_one_clause_is_an_error() {
        let mut column = ColumnItem::new("a INT").unwrap();
        for text in ["", "NOT", "NOT NULL UNIQUE", "NOT NULL, b INT", "DEFAULT (1))"] {
            assert!(column.push_clause(text).is_err(), "{text}");
        }
        assert_eq!(column.text(), "a INT");
        assert!(ColumnItem::new("a INT, b INT").is_err());
        assert!(ColumnItem::new("a INT) --").is_err());
        assert!(ConstraintItem::new("UNIQUE (a), UNIQUE (b)").is_err());
    }
}

//! Temporary tables that are created, read and rolled back.

use std::collections::BTreeSet;

use super::super::{POSTGRES, read, types};
use super::{Asked, Place, Question};
use crate::Value;
use crate::driver::{Connection, DatabaseError};
use crate::schema::{Index, IndexTerm, Table};
use crate::sql::{quote, quote_text};

/// The column that temporary tables are partitioned by.
const KEY: &str = "dbmigrate_kept";

/// A temporary table, or the reason why there can't be one.
pub(super) type Answer = Result<Table, String>;

/// A temporary table with the places that are asked.
pub(super) struct Draft<'a> {
    /// The table's position in its batch.
    pub(super) idx: usize,
    /// The name of the temporary table: the table's own, which expressions may contain.
    pub(super) name: String,
    pub(super) declared: &'a Table,
    pub(super) questions: Vec<Question>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(idx: usize, asked: &Asked<'a>, questions: Vec<Question>) -> Draft<'a> {
        let declared = asked.declared;
        Draft { idx, name: declared.bare_name().to_owned(), declared, questions }
    }

    fn text(&self, place: &Place) -> Option<&str> {
        let mut questions = self.questions.iter();
        let question = questions.find(|question| question.place == *place)?;
        Some(&question.text)
    }

    /// The statements that create the table.
    fn statements(&self) -> Vec<String> {
        let mut items = vec![format!("{KEY} int")];
        let needed = self.needed();
        for column in self.declared.columns.iter().filter(|column| needed(&column.name)) {
            let name = column.name.clone();
            let ty = types::type_name(&column.ty).unwrap_or_default();
            let mut item = format!("{} {ty}", quote(&name));
            if let Some(text) = self.text(&Place::Default(name.clone())) {
                item += &format!(" DEFAULT {}", defaulted(text));
            }
            if let Some(text) = self.text(&Place::Generated(name)) {
                let stored = column.generated.as_ref().is_none_or(|generated| generated.stored);
                let how = if stored { "STORED" } else { "VIRTUAL" };
                item += &format!(" GENERATED ALWAYS AS ({text}) {how}");
            }
            items.push(item);
        }
        for question in &self.questions {
            if let Place::Check(name) = &question.place {
                // A line comment ends before the parenthesis.
                items.push(format!("CONSTRAINT {} CHECK ({}\n)", quote(name), question.text));
            }
        }
        let table = quote(&self.name);
        // A partitioned table has no files.
        let mut statements = vec![format!(
            "CREATE TEMP TABLE {table} ({}) PARTITION BY LIST ({KEY})",
            items.join(", ")
        )];
        for index in &self.declared.indexes {
            statements.extend(self.index(index));
        }
        statements
    }

    /// Which columns the questions are about.
    fn needed(&self) -> impl Fn(&str) -> bool {
        let mut own = BTreeSet::new();
        let mut texts: Vec<String> = Vec::new();
        for question in &self.questions {
            texts.push(question.text.clone());
            if let Place::Type(name) | Place::Default(name) | Place::Generated(name) =
                &question.place
            {
                own.insert(name.clone());
            }
        }
        for index in self.declared.indexes.iter().filter(|index| self.asks_of(index)) {
            for column in &index.columns {
                match &column.term {
                    IndexTerm::Column(name) => drop(own.insert(name.clone())),
                    IndexTerm::Expression(text) => texts.push(text.to_string()),
                }
            }
        }
        // The name of the table can stand for all of its columns.
        let all = texts.iter().any(|text| POSTGRES.mentions(text, self.declared.bare_name()));
        move |name| {
            all || own.contains(name) || texts.iter().any(|text| POSTGRES.mentions(text, name))
        }
    }

    /// Whether a question is about this index.
    fn asks_of(&self, index: &Index) -> bool {
        self.questions.iter().any(|question| match &question.place {
            Place::Key(name, _) | Place::Filter(name) => *name == index.name,
            Place::Type(_) | Place::Default(_) | Place::Generated(_) | Place::Check(_) => false,
        })
    }

    fn index(&self, index: &Index) -> Option<String> {
        let key = |place| self.text(&Place::Key(index.name.clone(), place));
        let filter = self.text(&Place::Filter(index.name.clone()));
        if !self.asks_of(index) {
            return None;
        }
        let keys = index.columns.iter().enumerate().map(|(place, column)| {
            let term = match &column.term {
                IndexTerm::Column(name) => quote(name),
                IndexTerm::Expression(text) => format!("({}\n)", key(place).unwrap_or(text)),
            };
            // Not every type has a class of its own in every method.
            format!("{term} {}", column.opclass.as_deref().unwrap_or_default())
        });
        let keys: Vec<String> = keys.collect();
        let filter = filter.map_or(String::new(), |text| format!(" WHERE {text}"));
        Some(format!(
            "CREATE INDEX {} ON pg_temp.{} USING {} ({}){filter}",
            quote(&index.name),
            quote(&self.name),
            index.method(),
            keys.join(", ")
        ))
    }
}

/// A default needs parentheses unless it is simple.
fn defaulted(text: &str) -> String {
    format!("({text}\n)")
}

/// Creates temporary tables, reads them, and rolls that back. Each table comes with what was read
/// of it, or with the server's reason.
pub(super) fn answers<'a>(
    conn: &mut dyn Connection,
    drafts: Vec<Draft<'a>>,
) -> Result<Vec<(Draft<'a>, Answer)>, DatabaseError> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let blocks: Vec<String> = drafts
        .iter()
        .enumerate()
        .map(|(idx, draft)| {
            let runs: Vec<String> = draft
                .statements()
                .iter()
                .map(|sql| format!("EXECUTE {};", quote_text(sql)))
                .collect();
            format!(
                "BEGIN {} EXCEPTION WHEN OTHERS THEN \
                 PERFORM set_config('dbmigrate.fault_{idx}', SQLERRM, true); END;",
                runs.join(" ")
            )
        })
        .collect();
    let body = format!("BEGIN {} END", blocks.join("\n"));
    let run = format!("DO {}", quote_text(&body));
    let faults: Vec<String> = (0..drafts.len())
        .map(|idx| format!("current_setting('dbmigrate.fault_{idx}', true)"))
        .collect();
    let found = read::rolled_back(conn, |conn| {
        conn.execute(&run, &[])?;
        let faults = conn.query(&format!("SELECT {}", faults.join(", ")), &[])?;
        let tables = read::temporary(conn)?;
        Ok((faults.rows.into_iter().flatten().collect::<Vec<_>>(), tables))
    })?;
    let (faults, tables) = match found {
        Ok(found) => found,
        // The language of the block may have been dropped.
        Err(err) => {
            let why = err.to_string();
            return Ok(drafts.into_iter().map(|draft| (draft, Err(why.clone()))).collect());
        }
    };
    let answer = |(idx, draft): (usize, Draft<'a>)| {
        let fault = match faults.get(idx) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let table = tables.table(&draft.name).cloned();
        let unknown = || "the server did not create a temporary table".to_owned();
        let answer = match fault {
            Some(why) => Err(why),
            None => table.ok_or_else(unknown),
        };
        (draft, answer)
    };
    Ok(drafts.into_iter().enumerate().map(answer).collect())
}

//! What PostgreSQL keeps of a table.
//!
//! Types and constants are known. An expression is parsed and printed anew by the server, so what
//! it makes of one is asked: a temporary table with the expression is created, read and rolled
//! back. No expression is ever run.

mod draft;

use std::collections::BTreeMap;

use super::POSTGRES;
use super::assemble::generated_key_candidate;
use super::comparing::is_plainly_same;
use super::constant;
use super::simple::is_simply_same;
use super::text_enum;
use super::types;
use super::words;
use crate::backend::Backend;
use crate::dialect::{Beyond, Kept, Part, PartKind, Refusal};
use crate::driver::{Connection, DatabaseError};
use crate::schema::{Column, DefaultValue, Identity, Index, IndexTerm, Table, TableOption, Type};
use crate::sql::{Kind, quote, quote_text};
use draft::{Answer, Draft, answers};

/// How many temporary tables one transaction creates, each of which takes a few of the server's
/// locks.
const BATCH: usize = 100;

/// A place in a table that has an expression, or a type in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The type of a column.
    Type(String),
    /// The default of a column.
    Default(String),
    /// The expression of a generated column.
    Generated(String),
    /// The condition of a check.
    Check(String),
    /// An expression that an index sorts by.
    Key(String, usize),
    /// The condition of an index.
    Filter(String),
}

/// A place whose text has to be asked.
#[derive(Debug, Clone)]
struct Question {
    place: Place,
    /// The text to ask about.
    text: String,
    /// The text of the existing table, in the server's spelling.
    theirs: Option<String>,
}

/// A table with the places that have to be asked.
struct Asked<'a> {
    /// The table as it is declared.
    declared: &'a Table,
    /// The existing table.
    actual: Option<&'a Table>,
    kept: Table,
    questions: Vec<Question>,
    untold: Vec<Beyond>,
}

/// The tables as the server would keep them; see
/// [`Dialect::as_kept`](crate::dialect::Dialect::as_kept).
pub(super) fn as_kept(
    conn: &mut dyn Connection,
    tables: &[(&Table, Option<&Table>)],
) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError> {
    let mut asked: Vec<Result<Asked<'_>, Refusal>> =
        tables.iter().map(|(table, actual)| prepare(table, *actual)).collect();
    let mut open: Vec<&mut Asked<'_>> =
        asked.iter_mut().filter_map(|table| table.as_mut().ok()).collect();
    open.retain(|table| !table.questions.is_empty());
    for batch in open.chunks_mut(BATCH) {
        ask(conn, batch)?;
    }
    let kept = asked
        .into_iter()
        .map(|table| table.map(|Asked { kept, untold, .. }| Kept { table: kept, untold }));
    Ok(kept.collect())
}

/// What is known without asking.
fn prepare<'a>(table: &'a Table, actual: Option<&'a Table>) -> Result<Asked<'a>, Refusal> {
    let kept = known(table)?;
    let (questions, untold) = (Vec::new(), Vec::new());
    let mut asked = Asked { declared: table, actual, kept, questions, untold };
    if let Some(actual) = actual {
        asked.compare(actual);
    }
    Ok(asked)
}

/// The table with its expressions as they are written.
pub(super) fn known(table: &Table) -> Result<Table, Refusal> {
    let mut kept = table.clone();
    kept.checks.extend(text_enum::checks(table));
    let own = TableOption::of(Backend::Postgres).filter(|option| table.has(*option));
    kept.options = own.collect();
    // Only MySQL and MariaDB have these.
    (kept.engine, kept.charset, kept.collation) = (None, None, None);
    kept.comment = kept.comment.filter(|comment| !comment.is_empty());
    for column in &mut kept.columns {
        column.ty = words::kept(&column.ty).map_err(|why| Refusal {
            message: format!("column `{}.{}` {why}", table.name, column.name),
            hint: None,
        })?;
        column.collation = column.collation.take().filter(|name| name != "default");
        column.comment = column.comment.take().filter(|comment| !comment.is_empty());
        (column.charset, column.on_update_now, column.invisible) = (None, false, false);
        column.default =
            column.default.take().and_then(|default| kept_default(&default, &column.ty));
    }
    let key = generated_key_candidate(&kept);
    let key_columns = kept.primary_key.clone().map(|key| key.columns).unwrap_or_default();
    for column in &mut kept.columns {
        let is_key = key.as_deref() == Some(&*column.name);
        column.nullable &= !key_columns.contains(&column.name);
        let generates = column.autoincrement != Some(false);
        column.autoincrement = is_key.then_some(generates);
        // That is how a key generates its values anyway.
        column.identity = column.identity.filter(|own| !is_key || *own != Identity::ByDefault);
        column.default = column.default.take().filter(|_| !is_key || !generates);
    }
    for index in &mut kept.indexes {
        let method = index.method().to_owned();
        for key in &mut index.columns {
            key.prefix = None;
            if let IndexTerm::Expression(text) = &key.term {
                key.term = term(text);
            }
            let IndexTerm::Column(name) = &key.term else { continue };
            let own = kept.columns.iter().find(|column| column.name == *name);
            let class = own.and_then(|column| types::own_opclass(&column.ty, &method));
            key.opclass = key.opclass.take().filter(|opclass| Some(opclass.as_str()) != class);
            let own = own.and_then(|column| column.collation.as_deref()).unwrap_or("default");
            key.collation = key.collation.take().filter(|collation| collation != own);
        }
    }
    Ok(kept)
}

/// What an index sorts by; a column in parentheses is a column.
fn term(text: &str) -> IndexTerm {
    match POSTGRES.significant(POSTGRES.unparenthesised(text)).as_slice() {
        [token] if token.kind == Kind::Quoted || !POSTGRES.is_reserved(token.text) => {
            let name = token.identifier();
            name.map_or_else(
                || IndexTerm::Expression(text.into()),
                |name| IndexTerm::Column(name.into_owned()),
            )
        }
        _ => IndexTerm::Expression(text.into()),
    }
}

/// A default as it is read back, as far as that is known.
fn kept_default(default: &DefaultValue, ty: &Type) -> Option<DefaultValue> {
    let value = default.literal_of(ty);
    let sql = match (value, ty) {
        // A UUID is read back in lower case, with dashes.
        (Some(crate::Value::Blob(bytes)), Type::Uuid) => quote_text(&uuid(&bytes)),
        _ => constant::sql(default, ty),
    };
    let is_null = POSTGRES.same_expression(&sql, "NULL");
    (!is_null).then(|| constant::read(&sql, ty))
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (idx, byte) in bytes.iter().enumerate() {
        if matches!(idx, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}

impl Asked<'_> {
    /// Adopts the existing table's texts where they mean the same, and notes the other ones.
    fn compare(&mut self, actual: &Table) {
        let is_text = |name: &str| {
            let column = actual.find_column(name).map(|column| &column.ty);
            column.is_some_and(|ty| match ty {
                Type::String(_) => true,
                Type::Raw(words) => words == "character varying",
                _ => false,
            })
        };
        let alike = |mine: &str, theirs: &str| {
            is_plainly_same(mine, theirs) || is_simply_same(mine, theirs, &is_text)
        };
        let mut questions = Vec::new();
        let mut open = |place: Place, text: &str, theirs: Option<&str>| {
            questions.push(Question {
                place,
                text: text.to_owned(),
                theirs: theirs.map(str::to_owned),
            });
        };
        for column in &mut self.kept.columns {
            let Some(own) = actual.find_column(&column.name) else { continue };
            let name = || column.name.clone();
            if column.ty != own.ty && has_words(&column.ty) {
                let ty = types::type_name(&column.ty).unwrap_or_default();
                open(Place::Type(name()), &ty, Some(&words::shown(&own.ty)));
            }
            let written = |column: &Column| {
                column.default.as_ref().map(|default| constant::sql(default, &column.ty))
            };
            match (written(column), written(own)) {
                _ if column.default == own.default => {}
                (Some(mine), Some(theirs)) if alike(&mine, &theirs) => {
                    column.default.clone_from(&own.default);
                }
                (Some(mine), theirs) => open(Place::Default(name()), &mine, theirs.as_deref()),
                (None, _) => {}
            }
            if let (Some(mine), Some(theirs)) = (&mut column.generated, &own.generated) {
                if alike(&mine.expression, &theirs.expression) {
                    mine.expression.clone_from(&theirs.expression);
                } else {
                    let place = Place::Generated(column.name.clone());
                    open(place, &mine.expression, Some(&theirs.expression));
                }
            }
        }
        let is_extra = |name: &str| !self.kept.checks.iter().any(|check| check.name == name);
        let has_extra = actual.checks.iter().any(|check| is_extra(&check.name));
        for check in &mut self.kept.checks {
            let own = actual.checks.iter().find(|own| own.name == check.name);
            match own {
                Some(own) if alike(&check.expression, &own.expression) => {
                    check.expression.clone_from(&own.expression);
                }
                Some(own) => {
                    let place = Place::Check(check.name.clone());
                    open(place, &check.expression, Some(&own.expression));
                }
                // It may be one of the others, under another name.
                None if has_extra => {
                    open(Place::Check(check.name.clone()), &check.expression, None)
                }
                None => {}
            }
        }
        let is_extra = |name: &str| !self.declared.indexes.iter().any(|index| index.name == name);
        let has_extra = actual.indexes.iter().any(|index| is_extra(&index.name));
        for index in &mut self.kept.indexes {
            let own = actual.indexes.iter().find(|own| own.name == index.name);
            if own.is_some() || has_extra {
                compare_index(index, own, &alike, &mut open);
            }
        }
        self.questions = questions;
    }

    /// The existing table's text has the same meaning.
    fn adopt(&mut self, place: &Place, text: &str) {
        let column = |kept: &'_ mut Table, name: &str| {
            kept.columns.iter().position(|column| column.name == name)
        };
        match place {
            Place::Type(name) => {
                let own = self.actual.and_then(|actual| actual.find_column(name));
                let own = own.map(|own| own.ty.clone()).filter(|ty| words::shown(ty) == text);
                if let Some(at) = column(&mut self.kept, name) {
                    self.kept.columns[at].ty = own.unwrap_or_else(|| words::read(text));
                }
            }
            Place::Default(name) => {
                let own = self.actual.and_then(|actual| actual.find_column(name));
                let own = own.and_then(|own| Some((own.default.as_ref()?, &own.ty)));
                let own = own.filter(|(default, ty)| constant::sql(default, ty) == text);
                let own = own.map(|(default, _)| default.clone());
                if let Some(at) = column(&mut self.kept, name) {
                    let column = &mut self.kept.columns[at];
                    let is_null = POSTGRES.same_expression(text, "NULL");
                    let read = || constant::read(text, &column.ty);
                    column.default = (!is_null).then(|| own.unwrap_or_else(read));
                }
            }
            Place::Generated(name) => {
                let column = self.kept.columns.iter_mut().find(|column| column.name == *name);
                if let Some(generated) = column.and_then(|column| column.generated.as_mut()) {
                    generated.expression = text.into();
                }
            }
            Place::Check(name) => {
                let checks = self.kept.checks.iter_mut().filter(|check| check.name == *name);
                checks.for_each(|check| check.expression = text.into());
            }
            Place::Key(name, key) => {
                let index = self.kept.indexes.iter_mut().find(|index| index.name == *name);
                if let Some(key) = index.and_then(|index| index.columns.get_mut(*key)) {
                    key.term = term(text);
                }
            }
            Place::Filter(name) => {
                let index = self.kept.indexes.iter_mut().find(|index| index.name == *name);
                if let Some(index) = index {
                    index.filter = Some(text.into());
                }
            }
        }
    }

    /// What the place says can't be told, so that it can't count as a difference.
    fn cannot_tell(&mut self, question: &Question, why: &str) {
        if let Some(theirs) = &question.theirs {
            self.adopt(&question.place, theirs);
        }
        let part = |kind, name: &str| {
            Some(Part { kind, name: Some(name.to_owned()), content: String::new() })
        };
        let (columns, part, what) = match &question.place {
            Place::Type(name) => (vec![name.clone()], None, "the type"),
            Place::Default(name) => (vec![name.clone()], None, "the default"),
            Place::Generated(name) => (vec![name.clone()], None, "the expression"),
            Place::Check(name) => (Vec::new(), part(PartKind::Check, name), "the condition"),
            Place::Key(name, _) => (Vec::new(), part(PartKind::Index, name), "an expression"),
            Place::Filter(name) => (Vec::new(), part(PartKind::Index, name), "the condition"),
        };
        let text = format!("{what} `{}`: {why}", question.text);
        self.untold.push(Beyond { table: self.declared.name.clone(), columns, part, text });
    }
}

/// Whether a type is in words that aren't known.
fn has_words(ty: &Type) -> bool {
    match ty {
        Type::Raw(_) => true,
        Type::Array(of) => has_words(of),
        _ => false,
    }
}

fn compare_index(
    index: &mut Index,
    own: Option<&Index>,
    alike: &dyn Fn(&str, &str) -> bool,
    open: &mut impl FnMut(Place, &str, Option<&str>),
) {
    for (place, key) in index.columns.iter_mut().enumerate() {
        let IndexTerm::Expression(mine) = &mut key.term else { continue };
        let theirs = own.and_then(|own| own.columns.get(place)).map(|own| &own.term);
        match theirs {
            Some(IndexTerm::Expression(theirs)) if alike(mine, theirs) => {
                mine.clone_from(theirs);
            }
            theirs => {
                let theirs = match theirs {
                    Some(IndexTerm::Expression(theirs)) => Some(theirs.to_string()),
                    // A column in parentheses is a column.
                    Some(IndexTerm::Column(theirs)) => Some(quote(theirs)),
                    None => None,
                };
                open(Place::Key(index.name.clone(), place), mine, theirs.as_deref());
            }
        }
    }
    let theirs = own.and_then(|own| own.filter.as_deref());
    match (&mut index.filter, theirs) {
        (Some(mine), Some(theirs)) if alike(mine, theirs) => *mine = theirs.into(),
        (Some(mine), theirs) if own.is_none() || theirs.is_some() => {
            open(Place::Filter(index.name.clone()), mine, theirs);
        }
        _ => {}
    }
}

/// Asks about a batch of tables.
fn ask(conn: &mut dyn Connection, batch: &mut [&mut Asked<'_>]) -> Result<(), DatabaseError> {
    let drafts: Vec<Draft<'_>> = batch
        .iter()
        .enumerate()
        .map(|(idx, table)| Draft::of(idx, table, table.questions.clone()))
        .collect();
    let mut open = Vec::new();
    let mut failed = Vec::new();
    for (draft, answer) in answers(conn, drafts)? {
        match answer {
            Ok(answer) => open.push((draft, answer)),
            Err(why) => failed.push((draft, why)),
        }
    }
    // One expression is the reason, and the others can be told.
    let (alone, failed): (Vec<_>, Vec<_>) =
        failed.into_iter().partition(|(draft, _)| draft.questions.len() > 1);
    let mut apart = Vec::new();
    for (draft, _) in alone {
        for question in draft.questions {
            let name = format!("dbmigrate_kept_{}", apart.len());
            let questions = vec![question];
            apart.push(Draft { name, questions, idx: draft.idx, declared: draft.declared });
        }
    }
    let mut untold: Vec<(usize, Question, String)> = Vec::new();
    let tell = |draft: Draft<'_>, why: String| {
        let idx = draft.idx;
        draft.questions.into_iter().map(move |question| (idx, question, why.clone()))
    };
    for (draft, why) in failed {
        untold.extend(tell(draft, why));
    }
    for (draft, answer) in answers(conn, apart)? {
        match answer {
            Ok(answer) => open.push((draft, answer)),
            Err(why) => untold.extend(tell(draft, why)),
        }
    }
    // What the server makes of its own spelling is the same, with rare exceptions.
    let mut first = Vec::new();
    for (draft, answer) in open {
        for question in draft.questions {
            let text = found(&answer, &question.place).unwrap_or_else(|| "NULL".to_owned());
            first.push((draft.idx, question, text));
        }
    }
    let mut again: BTreeMap<usize, Vec<(Question, String)>> = BTreeMap::new();
    let mut adopted: Vec<(usize, Place, String)> = Vec::new();
    for (idx, question, text) in first {
        match &question.theirs {
            Some(theirs) if !is_plainly_same(&text, theirs) && question.place.is_printed() => {
                again.entry(idx).or_default().push((question, text));
            }
            Some(theirs) if is_plainly_same(&text, theirs) => {
                adopted.push((idx, question.place, theirs.clone()));
            }
            _ => adopted.push((idx, question.place, text)),
        }
    }
    if !again.is_empty() {
        adopted.extend(second_round(conn, batch, again)?);
    }
    for (idx, place, text) in adopted {
        batch[idx].adopt(&place, &text);
    }
    for (idx, question, why) in untold {
        batch[idx].cannot_tell(&question, &why);
    }
    Ok(())
}

impl Place {
    /// Whether it has an expression, which the server prints.
    fn is_printed(&self) -> bool {
        !matches!(self, Place::Type(_))
    }
}

/// Asks what the server makes of its own spelling of both texts: printed once more, the text of a
/// definition that was restored from a dump has changed as well.
fn second_round(
    conn: &mut dyn Connection,
    batch: &[&mut Asked<'_>],
    again: BTreeMap<usize, Vec<(Question, String)>>,
) -> Result<Vec<(usize, Place, String)>, DatabaseError> {
    let drafts = |text: fn(&(Question, String)) -> Option<String>| {
        let drafts = again.iter().map(|(idx, questions)| {
            let asked = questions.iter().filter_map(|question| {
                Some(Question { text: text(question)?, ..question.0.clone() })
            });
            Draft::of(*idx, batch[*idx], asked.collect())
        });
        drafts.collect::<Vec<_>>()
    };
    let mine = answers(conn, drafts(|(_, text)| Some(text.clone())))?;
    let theirs = answers(conn, drafts(|(question, _)| question.theirs.clone()))?;
    let mut adopted = Vec::new();
    for (idx, questions) in &again {
        let of = |answers: &[(Draft<'_>, Answer)], place: &Place| {
            let (_, answer) = answers.iter().find(|(draft, _)| draft.idx == *idx)?;
            found(answer.as_ref().ok()?, place)
        };
        for (question, text) in questions {
            let place = &question.place;
            let own = question.theirs.as_deref().unwrap_or_default();
            let is_same = of(&mine, place).is_some_and(|mine| {
                let theirs = of(&theirs, place);
                is_plainly_same(&mine, own)
                    || theirs.is_some_and(|theirs| is_plainly_same(&mine, &theirs))
            });
            let text = if is_same { own } else { text };
            adopted.push((*idx, place.clone(), text.to_owned()));
        }
    }
    Ok(adopted)
}

/// The text of a place in a table that was read.
fn found(table: &Table, place: &Place) -> Option<String> {
    match place {
        Place::Type(name) => table.find_column(name).map(|column| words::shown(&column.ty)),
        Place::Default(name) => {
            let column = table.find_column(name)?;
            column.default.as_ref().map(|default| constant::sql(default, &column.ty))
        }
        Place::Generated(name) => {
            table.find_column(name)?.generated.as_ref().map(|found| found.expression.to_string())
        }
        Place::Check(name) => {
            let check = table.checks.iter().find(|check| check.name == *name);
            check.map(|check| check.expression.to_string())
        }
        Place::Key(name, key) => match &table.find_index(name)?.columns.get(*key)?.term {
            IndexTerm::Column(name) => Some(quote(name)),
            IndexTerm::Expression(text) => Some(text.to_string()),
        },
        Place::Filter(name) => table.find_index(name)?.filter.as_ref().map(ToString::to_string),
    }
}

//! `float-money`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Column, Type};

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "float-money",
    level: Level::Warn,
    is_for: every,
    finds: "A new column whose name speaks of money has a floating-point type.",
    why: "Such a type can't hold most decimal fractions exactly, so sums are off.",
    instead: "use a decimal type, `rust_decimal::Decimal` with `precision` and `scale`, or \
              whole cents as an integer",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let columns: Vec<&Column> = match change.operation() {
        Operation::CreateTable(table) => table.columns.iter().collect(),
        Operation::AddColumn { column, .. } => vec![column],
        _ => Vec::new(),
    };
    let is_float = |column: &&Column| matches!(column.ty, Type::Float | Type::Double);
    let money = columns.into_iter().filter(is_float).filter(|column| is_money(&column.name));
    let message = |column: &Column| {
        format!("column `{}` of the type `{}` can't hold amounts exactly", column.name, column.ty)
    };
    money.map(message).collect()
}

/// Whether a column's name speaks of money.
fn is_money(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split('_').any(|word| {
        let one = word.strip_suffix("es").filter(|one| MONEY.contains(one));
        let one = one.or(word.strip_suffix('s')).unwrap_or(word);
        MONEY.contains(&word) || MONEY.contains(&one)
    })
}

const MONEY: &[&str] = &[
    "amount", "balance", "budget", "cost", "credit", "debit", "discount", "fee", "income", "money",
    "price", "revenue", "salary", "subtotal", "tax", "turnover", "wage",
];

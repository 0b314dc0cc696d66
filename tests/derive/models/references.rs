//! Models that refer to others.

use dbmigrate_runtime::Model;
use dbmigrate_runtime::schema::{Column, Deferrable, ForeignKey, ReferentialAction, Table, Type};

use super::{check, id, text};

mod elsewhere {
    use dbmigrate_runtime::Model;

    #[derive(Model)]
    #[model(table = "companies", primary_key(country, number), unique(tax_id))]
    pub(super) struct Company<'a> {
        country: &'a str,
        number: i32,
        #[model(column = "tax")]
        tax_id: String,
        #[model(references = super::Employee)]
        head: Option<i64>,
    }
}

#[derive(Model)]
#[model(
    table = "employees",
    foreign_key(
        columns(company, country),
        references = elsewhere::Company(number, country),
        on_delete = set_null,
        on_update = cascade,
        deferrable = "initially immediate"
    ),
    foreign_key(name = "to_key", columns(country, company), references = elsewhere::Company)
)]
struct Employee {
    #[model(primary_key)]
    id: i64,
    company: Option<i32>,
    country: Option<String>,
    #[model(references = elsewhere::Company::tax_id, on_update = set_default)]
    tax: Option<String>,
    #[model(references = super::User, on_delete = restrict, deferrable = "initially deferred")]
    user: i64,
    #[model(references = Self::id, on_delete = no_action)]
    boss: Option<i64>,
    #[model(references = Employee(id), on_delete = set_null)]
    deputy: Option<i64>,
}

#[test]
fn foreign_keys() {
    let big = |name| Column::new(name, Type::BigInteger);
    let mut expected = Table::new("employees")
        .column(id())
        .column(Column::new("company", Type::Integer))
        .column(Column::new("country", Type::Text))
        .column(Column::new("tax", Type::Text))
        .column(big("user").not_null())
        .column(big("boss"))
        .column(big("deputy"))
        .primary_key("pk_employees", ["id"]);
    expected.foreign_keys = vec![
        ForeignKey::new("fk_employees_boss_employees", ["boss"], "employees", ["id"]),
        ForeignKey::new(
            "fk_employees_company_country_companies",
            ["company", "country"],
            "companies",
            ["number", "country"],
        )
        .on_delete(ReferentialAction::SetNull)
        .on_update(ReferentialAction::Cascade)
        .deferrable(Deferrable::InitiallyImmediate),
        ForeignKey::new("fk_employees_deputy_employees", ["deputy"], "employees", ["id"])
            .on_delete(ReferentialAction::SetNull),
        ForeignKey::new("fk_employees_tax_companies", ["tax"], "companies", ["tax"])
            .on_update(ReferentialAction::SetDefault),
        ForeignKey::new("fk_employees_user_user", ["user"], "user", ["id"])
            .on_delete(ReferentialAction::Restrict)
            .deferrable(Deferrable::InitiallyDeferred),
        ForeignKey::new("to_key", ["country", "company"], "companies", ["country", "number"]),
    ];
    check::<Employee>(expected);
    check::<elsewhere::Company<'_>>(
        Table::new("companies")
            .column(text("country"))
            .column(Column::new("number", Type::Integer).not_null())
            .column(text("tax"))
            .column(big("head"))
            .primary_key("pk_companies", ["country", "number"])
            .unique("uq_companies_tax", ["tax"])
            .foreign_key(ForeignKey::new(
                "fk_companies_head_employees",
                ["head"],
                "employees",
                ["id"],
            )),
    );
}

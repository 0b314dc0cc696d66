// Enums that may grow have variants that an application's `match` doesn't know yet.
use dbmigrate_runtime::Value;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Type;

fn value(value: &Value) {
    match value {
        //~^ error: `&_` not covered
        Value::Null
        | Value::Bool(..)
        | Value::Integer(..)
        | Value::Real(..)
        | Value::Text(..)
        | Value::Blob(..) => {}
    }
}

fn ty(ty: &Type) {
    match ty {
        //~^ error: `&_` not covered
        Type::Boolean
        | Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned
        | Type::Float
        | Type::Double
        | Type::Decimal(..)
        | Type::Numeric
        | Type::String(..)
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::DateTime
        | Type::Timestamp
        | Type::Uuid
        | Type::Json
        | Type::Binary
        | Type::FixedBinary(..)
        | Type::Enum(..)
        | Type::Array(..)
        | Type::Raw(..)
        | Type::PerDialect(..) => {}
    }
}

fn operation(operation: &Operation) {
    match operation {
        //~^ error: `&_` not covered
        Operation::CreateTable(..)
        | Operation::DropTable { .. }
        | Operation::RenameTable { .. }
        | Operation::AlterTable { .. }
        | Operation::AddColumn { .. }
        | Operation::DropColumn { .. }
        | Operation::AlterColumn { .. }
        | Operation::RenameColumn { .. }
        | Operation::AddPrimaryKey { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::DropCheck { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Execute(..)
        | Operation::BulkInsert { .. }
        | Operation::Run(..)
        | Operation::Makes(..)
        | Operation::Drops(..) => {}
    }
}

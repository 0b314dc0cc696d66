-- Names that differ only in their case, and an enumeration that several tables use.

CREATE TYPE "Feeling" AS ENUM ('Ok', 'ok', 'OK');
CREATE TYPE feeling AS ENUM ('ok', 'sad');
CREATE TABLE "Letters" (
    id bigint PRIMARY KEY, "Name" text, name text, "NAME" text UNIQUE, "Feeling" "Feeling" NOT NULL DEFAULT 'ok', feeling feeling,
    CHECK ("Name" <> name)
);
CREATE TABLE letters (
    id bigint PRIMARY KEY, name text NOT NULL, feeling feeling, feelings feeling[], "Feeling" "Feeling",
    other bigint REFERENCES "Letters" (id)
);
CREATE TABLE "LETTERS" (id bigint PRIMARY KEY, "Id" bigint REFERENCES letters (id), feeling feeling NOT NULL DEFAULT 'sad');
CREATE INDEX "By_name" ON letters (name);
CREATE INDEX by_name ON letters (name);
CREATE INDEX by_both ON "Letters" (name, "Name") WHERE "NAME" IS NULL;

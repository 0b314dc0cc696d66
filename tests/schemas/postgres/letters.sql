-- Names that differ only in their case, and an enumeration that several tables use.

CREATE TYPE "Mood" AS ENUM ('Ok', 'ok', 'OK');
CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE TABLE "Letters" (
    id bigint PRIMARY KEY, "Name" text, name text, "NAME" text UNIQUE, "Mood" "Mood" NOT NULL DEFAULT 'ok', mood mood,
    CHECK ("Name" <> name)
);
CREATE TABLE letters (
    id bigint PRIMARY KEY, name text NOT NULL, mood mood, moods mood[], "Mood" "Mood",
    other bigint REFERENCES "Letters" (id)
);
CREATE TABLE "LETTERS" (id bigint PRIMARY KEY, "Id" bigint REFERENCES letters (id), mood mood NOT NULL DEFAULT 'sad');
CREATE INDEX "By_name" ON letters (name);
CREATE INDEX by_name ON letters (name);
CREATE INDEX by_both ON "Letters" (name, "Name") WHERE "NAME" IS NULL;

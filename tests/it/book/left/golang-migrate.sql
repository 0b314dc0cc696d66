CREATE TABLE schema_migrations (version uint64,dirty bool);
INSERT INTO "schema_migrations" VALUES (20240210090000, 0);
CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY,
    email VARCHAR(100) NOT NULL UNIQUE
);
CREATE TABLE posts (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL
);
CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
CREATE INDEX posts_by_user ON posts (user_id);

CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES (1, 0, 1, '2026-11-30 01:22:08');
INSERT INTO "goose_db_version" VALUES (2, 20240131120000, 1, '2026-11-30 01:22:08');
INSERT INTO "goose_db_version" VALUES (3, 20240210090000, 1, '2026-11-30 01:22:08');
CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY,
    email VARCHAR(100) NOT NULL UNIQUE
);
CREATE TABLE posts (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL
);
INSERT INTO "sqlite_sequence" VALUES ('goose_db_version', 3);
CREATE INDEX posts_by_user ON posts (user_id);

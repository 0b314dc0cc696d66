-- Objects beside the tables, which stay out of the models.
-- left out: view `everybody`
-- left out: trigger `watch`
-- left out: virtual table `texts`
-- left out: trigger `view_trigger`

CREATE TABLE beside (id INTEGER PRIMARY KEY, name TEXT);
CREATE VIEW everybody AS SELECT * FROM beside;
CREATE TRIGGER watch AFTER INSERT ON beside BEGIN SELECT 1; END;
CREATE TRIGGER view_trigger INSTEAD OF DELETE ON everybody BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE texts USING fts5(body);

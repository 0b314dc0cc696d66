-- Objects beside the tables, which stay out of the models.
-- left out: view `everybody`
-- left out: trigger `watch`
-- left out: procedure `nothing`

CREATE TABLE beside (id bigint NOT NULL PRIMARY KEY, name varchar(20));
CREATE VIEW everybody AS SELECT * FROM beside;
CREATE TRIGGER watch BEFORE INSERT ON beside FOR EACH ROW SET NEW.name = 'x';
CREATE PROCEDURE nothing() SELECT 1;

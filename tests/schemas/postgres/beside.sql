-- Objects beside the tables, which stay out of the models.
-- left out: view `everybody`
-- left out: materialized view `counted`
-- left out: sequence `numbers`
-- left out: function `touch`
-- left out: trigger `touched`
-- left out: statistics `correlated`

CREATE TABLE beside (id bigint PRIMARY KEY, name text, n integer);
CREATE VIEW everybody AS SELECT * FROM beside;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM beside;
CREATE SEQUENCE numbers;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON beside FOR EACH ROW EXECUTE FUNCTION touch();
CREATE STATISTICS correlated ON name, n FROM beside;

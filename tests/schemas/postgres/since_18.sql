-- since: 18

CREATE TABLE virtual_columns (id bigint PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a * 2) VIRTUAL, c uuid DEFAULT uuidv7());

-- Tables whose names differ only in their case, as servers on Linux have them.

CREATE TABLE `Letters` (id bigint NOT NULL PRIMARY KEY, `Name` varchar(20) UNIQUE);
CREATE TABLE letters (id bigint NOT NULL PRIMARY KEY, name varchar(20), other bigint, FOREIGN KEY (other) REFERENCES `Letters` (id));
CREATE TABLE `LETTERS` (id bigint NOT NULL PRIMARY KEY, other bigint, CONSTRAINT upper_case FOREIGN KEY (other) REFERENCES letters (id));

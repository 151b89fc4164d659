.bail on
.echo on
.mode list
PRAGMA journal_mode;
CREATE TABLE author(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE book(id INTEGER PRIMARY KEY, author INTEGER REFERENCES author, title TEXT, year INT, price REAL, body BLOB);
CREATE INDEX book_year ON book(year, price);
CREATE INDEX book_cheap ON book(title) WHERE price < 10;
PRAGMA foreign_keys = on;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO author SELECT i, printf('author %03d', i) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO book SELECT i, 1 + i % 200, printf('book %d of %d', i, i % 7), 1900 + i % 120, i % 97 / 4.0, zeroblob(i % 500) FROM n;
COMMIT;
SELECT count(*), sum(year), round(avg(price), 6), sum(length(body)) FROM book;
EXPLAIN QUERY PLAN SELECT title FROM book WHERE year = 1950 AND price > 20;
SELECT count(*), min(title), max(title) FROM book WHERE year = 1950 AND price > 20;
SELECT name, count(*) c, round(sum(price), 2) FROM author JOIN book ON author.id = book.author GROUP BY name ORDER BY c DESC, name LIMIT 5;
-- A transaction that is taken back, and one inside.
BEGIN IMMEDIATE;
DELETE FROM book WHERE id % 2;
SAVEPOINT inner_one;
UPDATE book SET price = price + 1;
ROLLBACK TO inner_one;
SELECT count(*), sum(price) FROM book;
ROLLBACK;
SELECT count(*), sum(price) FROM book;
-- Larger than the cache: pages go to the journal and back.
PRAGMA cache_size = 20;
BEGIN;
UPDATE book SET body = zeroblob(1000) WHERE id % 3 = 0;
ROLLBACK;
SELECT sum(length(body)) FROM book;
PRAGMA integrity_check;
PRAGMA journal_mode = truncate;
UPDATE book SET price = 0 WHERE id <= 100;
PRAGMA journal_mode = persist;
UPDATE book SET price = 1 WHERE id <= 100;
PRAGMA journal_mode = wal;
UPDATE book SET price = 2 WHERE id <= 100;
INSERT INTO book SELECT id + 100000, author, title, year, price, body FROM book WHERE id <= 5000;
PRAGMA wal_checkpoint(truncate);
BEGIN;
DELETE FROM book WHERE id BETWEEN 5000 AND 15000;
ROLLBACK;
DELETE FROM book WHERE id BETWEEN 1000 AND 15000;
PRAGMA wal_checkpoint;
PRAGMA integrity_check;
PRAGMA journal_mode = delete;
SELECT count(*), sum(price) FROM book;
-- Space comes back, the file gets smaller.
PRAGMA page_count;
PRAGMA freelist_count;
VACUUM;
PRAGMA page_count;
PRAGMA freelist_count;
PRAGMA auto_vacuum = incremental;
VACUUM;
PRAGMA foreign_keys = off;
DROP TABLE author;
PRAGMA incremental_vacuum;
PRAGMA integrity_check;
-- Memory mapped reads, temporary files, a sorter that spills.
PRAGMA mmap_size = 4194304;
PRAGMA temp_store = file;
SELECT count(*) FROM (SELECT DISTINCT title, body FROM book ORDER BY body DESC, title);
CREATE TEMP TABLE t AS SELECT * FROM book ORDER BY random() LIMIT 2000;
SELECT count(*) FROM t;
-- Text search, trees of rectangles, JSON, window functions, upsert, triggers.
CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO words SELECT title FROM book WHERE id % 10 = 0;
SELECT count(*) FROM words WHERE words MATCH 'book AND 3';
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1);
INSERT INTO boxes SELECT id, id % 100, id % 100 + 2, id % 37, id % 37 + 2 FROM book;
SELECT count(*) FROM boxes WHERE x0 > 10 AND x1 < 20 AND y0 > 5 AND y1 < 12;
SELECT json_group_array(id) FROM (SELECT id FROM book ORDER BY id DESC LIMIT 5);
SELECT year, price, rank() OVER (PARTITION BY year ORDER BY price DESC) r FROM book WHERE year < 1902 ORDER BY year, r, id LIMIT 6;
CREATE TABLE log(n INTEGER PRIMARY KEY, what TEXT);
CREATE TRIGGER t AFTER UPDATE ON book BEGIN INSERT INTO log(what) VALUES (new.id || ':' || new.price); END;
UPDATE book SET price = 3 WHERE id < 10;
SELECT group_concat(what) FROM log;
INSERT INTO log VALUES (1, 'again') ON CONFLICT(n) DO UPDATE SET what = excluded.what;
SELECT what FROM log WHERE n = 1;
ATTACH 'second.db' AS other;
CREATE TABLE other.copy AS SELECT id, title FROM book;
BEGIN;
DELETE FROM book WHERE id > 100000;
DELETE FROM copy WHERE id > 100000;
COMMIT;
SELECT (SELECT count(*) FROM book), (SELECT count(*) FROM copy);
PRAGMA integrity_check;
DETACH other;
.backup copy.db
.open copy.db
PRAGMA integrity_check;
SELECT count(*), sum(price) FROM book;
.sha3sum
.mode csv
.echo off
.once out.csv
SELECT id, title, price FROM book ORDER BY id;
.mode list
.echo on
SELECT length(readfile('out.csv'));
SELECT writefile('blob', zeroblob(100000));
.echo off
.once dump.sql
.dump
.open again.db
.read dump.sql
.echo on
.sha3sum
PRAGMA quick_check;

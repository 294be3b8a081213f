import { keepStatements } from './keep-statements.js';
import { loadSqlite } from './sqlite-library.js';

describe('keepStatements', () => {
  const connection = new (loadSqlite())(':memory:');
  keepStatements(connection);
  afterAll(() => connection.close());

  it('prepares a text once, and hands out the same statement', () => {
    connection.exec('CREATE TABLE t (a INTEGER)');
    const insert = connection.prepare('INSERT INTO t VALUES (?)');
    expect(connection.prepare('INSERT INTO t VALUES (?)')).toBe(insert);
    insert.run(1);
    expect(connection.prepare('SELECT a FROM t').all()).toEqual([{ a: 1 }]);
    connection.exec('ALTER TABLE t ADD COLUMN b INTEGER');
    expect(connection.prepare('SELECT * FROM t').all()).toEqual([{ a: 1, b: null }]);
  });

  it('returns the results of pragmas as the library does', () => {
    expect(connection.pragma('user_version')).toEqual([{ user_version: 0 }]);
    expect(connection.pragma('user_version = 7')).toEqual([]);
    expect(connection.pragma('user_version')).toEqual([{ user_version: 7 }]);
    expect(connection.pragma('foreign_keys = ON')).toEqual([]);
    expect(connection.pragma('foreign_keys')).toEqual([{ foreign_keys: 1 }]);
  });
});

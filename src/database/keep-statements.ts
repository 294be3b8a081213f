import type BetterSqlite3 from 'better-sqlite3';

/** References that prevent garbage collection: a process opens one database, its tests a few. */
const kept: BetterSqlite3.Database[] = [];

/**
 * Keeps a connection and all its statements for the lifetime of the process, and prepares no text twice. From Node 24.19 on, a
 * statement of better-sqlite3 12 that is collected while no JavaScript runs ends the process (`Assertion failed: (env) !=
 * nullptr`). Version 13 does not, but 12 still serves platforms that 13 has no binary for. The texts are the program's own, with parameters, so there are a few
 * hundred of them.
 */
export function keepStatements(connection: BetterSqlite3.Database): void {
  kept.push(connection);
  const statements = new Map<string, BetterSqlite3.Statement>();
  const prepare = connection.prepare.bind(connection);
  const statementOf = (text: string): BetterSqlite3.Statement => {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = prepare(text);
      statements.set(text, statement);
    }
    return statement;
  };
  // The library's own pragma() creates a statement that cannot be kept.
  const pragma = (text: string): unknown => {
    const statement = statementOf(`PRAGMA ${text}`);
    return statement.reader ? statement.all() : (statement.run(), []);
  };
  Object.assign(connection, { prepare: statementOf, pragma });
}

import { LineSpool } from './line-spool.js';
import type { NewTask } from './submission-store.js';

/** Most tasks of one insert. */
const TASKS_PER_INSERT = 250;

/** Holds the checked tasks of a submission until all of them are known to be valid, so that a slow upload holds no transaction open. */
export class TaskSpool {
  private readonly spool: LineSpool;

  constructor(directory: string) {
    this.spool = new LineSpool(directory);
  }

  get count(): number {
    return this.spool.count;
  }

  add({ customId, operation = 'chat', dialect = null, request }: NewTask): void {
    // JSON texts contain no raw tab or line break.
    this.spool.add(`${JSON.stringify(customId)}\t${operation}\t${dialect ?? ''}\t${request}`);
  }

  /** In insertion order, in groups that fit one insert. */
  *groups(): Generator<NewTask[]> {
    let group: NewTask[] = [];
    for (const line of this.spool.lines()) {
      group.push(taskOf(line));
      if (group.length === TASKS_PER_INSERT) {
        yield group;
        group = [];
      }
    }
    if (group.length > 0) yield group;
  }

  dispose(): void {
    this.spool.dispose();
  }
}

function taskOf(line: string): NewTask {
  const id = line.indexOf('\t');
  const operation = line.indexOf('\t', id + 1);
  const dialect = line.indexOf('\t', operation + 1);
  return {
    customId: JSON.parse(line.slice(0, id)) as string,
    operation: line.slice(id + 1, operation),
    dialect: line.slice(operation + 1, dialect) || null,
    request: line.slice(dialect + 1),
  };
}

import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { TaskSpool } from './task-spool.js';

describe('a spool of tasks', () => {
  it('gives tasks back as they were, in groups that fit one insert', () => {
    const task = fc.record({
      customId: fc.string({ unit: 'binary', minLength: 1 }),
      operation: fc.constantFrom('chat', 'embeddings'),
      dialect: fc.constantFrom(null, 'anthropic', 'openai-responses'),
      request: fc.json(),
    });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 600 }), (tasks) => {
        const spool = new TaskSpool(tmpdir());
        for (const each of tasks) spool.add(each);
        const groups = [...spool.groups()];
        spool.dispose();
        expect(groups.flat()).toEqual(tasks);
        expect(groups.every(({ length }) => length > 0 && length <= 250)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('takes a task without an operation for a chat completion', () => {
    const spool = new TaskSpool(tmpdir());
    spool.add({ customId: 'a', request: '{}' });
    expect([...spool.groups()]).toEqual([[{ customId: 'a', operation: 'chat', dialect: null, request: '{}' }]]);
    spool.dispose();
  });
});

import type { BatchJob } from '../batch-job.entity.js';
import { linesOf, OWN_FORMAT } from '../results/result-format.js';
import type { ResultReader, ResultRef } from '../results/result-reader.js';
import type { Piece, Place } from './part-cutter.js';

/** Results whose sizes are read at once. */
const ROWS_PER_LIST = 1_000;
/** Bytes of results whose places have one index: what is read again after a restart. One result may be larger. */
const GROUP_BYTES = 1024 * 1024;
const FORMAT = linesOf(OWN_FORMAT);

/** The results of a job that has ended, one a line in task order, from a place on. The bytes are the same at each call. */
export async function* resultPieces(
  reader: Pick<ResultReader, 'list' | 'read'>,
  job: Pick<BatchJob, 'id' | 'taskCount'>,
  start: Place,
): AsyncGenerator<Piece> {
  let { after } = start;
  let dropped = start.skip;
  for (;;) {
    const found = await reader.list(job, { after, limit: ROWS_PER_LIST });
    if (found.length === 0) return;
    for (const group of groupsOf(found)) {
      let skip = 0;
      for await (const parts of reader.read(job.id, group, FORMAT)) {
        for (const bytes of parts) {
          const unneeded = Math.min(dropped, bytes.length);
          dropped -= unneeded;
          skip += unneeded;
          const needed = bytes.subarray(unneeded);
          if (needed.length > 0) yield { bytes: needed, place: { after, skip } };
          skip += needed.length;
        }
        // SQLite's driver completes synchronously: yield to other work here.
        await new Promise(setImmediate);
      }
      after = group.at(-1)?.index ?? after;
    }
  }
}

function* groupsOf(refs: readonly ResultRef[]): Generator<readonly ResultRef[]> {
  let group: ResultRef[] = [];
  let bytes = 0;
  for (const ref of refs) {
    group.push(ref);
    bytes += ref.bytes;
    if (bytes < GROUP_BYTES) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}

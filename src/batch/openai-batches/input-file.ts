import { GatewayError } from '../../errors/gateway-error.js';
import type { JsonEndpoint } from '../../model-endpoint/json-endpoint.js';
import { printExact } from '../../runtime/exact-integers.js';
import { parsePart } from '../submission/parse-part.js';
import { TaskSpool } from '../submission/task-spool.js';
import { readBatchLine } from './batch-line.js';
import { jsonlLines, type JsonlLine } from './jsonl-lines.js';

/** Bytes of one line. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** Faults that a batch reports; reading stops at the last of them. */
const MAX_FAULTS = 100;
/** Milliseconds of work after which the reader yields to the event loop. */
const SLICE_MS = 8;

/** A fault of an input file, in the form of OpenAI's `errors.data`. */
export interface LineFault {
  readonly code: string;
  /** From 1; null where no line is at fault. */
  readonly line: number | null;
  readonly message: string;
  readonly param: string | null;
}

/** The bounds of an input file, and the rules of its lines. */
export interface InputRules {
  readonly endpoint: JsonEndpoint;
  readonly maxTasks: number;
  /** Where lines that are too many for memory are kept until all of them are checked. */
  readonly directory: string;
  /** @throws GatewayError for a model that there is not, or that the key may not call */
  readonly assertModel: (model: string) => void;
}

/** The lines of an input file, checked. Its spool must be disposed of. */
export interface InputFile {
  readonly spool: TaskSpool;
  readonly faults: readonly LineFault[];
  /** That the first line names. */
  readonly model: string;
}

/** Reads and checks an input file, in memory that does not grow with it. @throws what the content throws */
export async function readInputFile(content: AsyncIterable<Buffer>, rules: InputRules): Promise<InputFile> {
  const spool = new TaskSpool(rules.directory);
  const faults: LineFault[] = [];
  const customIds = new Set<string>();
  const models = new Map<string, GatewayError | undefined>();
  let count = 0;
  let sliceEnd = performance.now() + SLICE_MS;

  const check = (line: JsonlLine): void => {
    if ('fault' in line) throw unreadable(line.fault);
    const {
      customId,
      endpoint,
      request,
      model = '',
    } = readBatchLine(parsePart(line.text, true, 'body', true), rules.endpoint);
    if (customIds.has(customId))
      throw new FaultyLine('duplicate_custom_id', 'The custom_id of this line was used before.', 'custom_id');
    customIds.add(customId);
    if (!models.has(model)) models.set(model, faultOfModel(model, rules.assertModel));
    const fault = models.get(model);
    if (fault !== undefined) throw new FaultyLine(fault.code ?? 'model_not_found', fault.message, 'body.model');
    if (faults.length === 0) {
      spool.add({ customId, operation: endpoint.operation, dialect: endpoint.dialect, request: printExact(request) });
    }
  };
  try {
    for await (const line of jsonlLines(content, MAX_LINE_BYTES)) {
      count += 1;
      if (count > rules.maxTasks) {
        faults.push({
          code: 'too_many_tasks',
          line: null,
          message: `The file has more than ${rules.maxTasks} lines. Split it.`,
          param: null,
        });
        break;
      }
      try {
        check(line);
      } catch (error) {
        faults.push(lineFault(error, line.number));
        if (faults.length === MAX_FAULTS) break;
      }
      if (performance.now() < sliceEnd) continue;
      await new Promise(setImmediate);
      sliceEnd = performance.now() + SLICE_MS;
    }
  } catch (error) {
    spool.dispose();
    throw error;
  }
  if (count === 0) faults.push({ code: 'empty_file', line: null, message: 'The file has no requests.', param: null });
  const [model = ''] = models.keys();
  return { spool, faults, model };
}

/** A fault that is a line's own. */
class FaultyLine extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly param: string | null,
  ) {
    super(message);
    this.name = 'FaultyLine';
  }
}

function unreadable(fault: 'not_utf8' | 'too_long'): FaultyLine {
  return fault === 'too_long'
    ? new FaultyLine('line_too_long', `This line is longer than ${MAX_LINE_BYTES} bytes.`, null)
    : new FaultyLine('invalid_json_line', 'This line is not valid UTF-8.', null);
}

function faultOfModel(model: string, assertModel: (model: string) => void): GatewayError | undefined {
  try {
    assertModel(model);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

function lineFault(error: unknown, line: number): LineFault {
  if (error instanceof FaultyLine) return { code: error.code, line, message: error.message, param: error.param };
  if (!(error instanceof GatewayError)) throw error;
  if (error.code === 'invalid_json') {
    return { code: 'invalid_json_line', line, message: 'This line is not parseable as valid JSON.', param: null };
  }
  return { code: error.code ?? 'invalid_request', line, message: error.message, param: error.param };
}

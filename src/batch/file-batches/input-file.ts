import { GatewayError } from '../../errors/gateway-error.js';
import type { JsonEndpoint } from '../../model-endpoint/json-endpoint.js';
import { printExact } from '../../runtime/exact-integers.js';
import { objectOf } from '../../runtime/json-value.js';
import { parsePart } from '../submission/parse-part.js';
import type { NewTask } from '../submission/submission-store.js';
import { readBatchLine } from './batch-line.js';
import { jsonlLines, type JsonlLine } from './jsonl-lines.js';
import { TextSet } from './text-set.js';

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

/** A request of an input file. */
export type InputTask = NewTask & { readonly model: string };

/** The bounds of an input file, the rules of its lines, and who takes them. */
export interface InputRules {
  readonly endpoint: JsonEndpoint;
  readonly maxLines: number;
  /** @throws GatewayError for a model that there is not, or that the key may not call */
  readonly assertModel: (model: string) => void;
  /** Takes the tasks in their order, up to the first fault. While the promise that it may give is pending, no more come. */
  readonly take: (task: InputTask) => Promise<void> | undefined;
  /** Called about each few milliseconds, where the reader yields to other work. @throws to stop reading */
  readonly onYield: () => Promise<void> | undefined;
}

/** Reads and checks an input file, in memory that does not grow with it. @throws what the content and the callbacks throw */
export async function readInputFile(content: AsyncIterable<Buffer>, rules: InputRules): Promise<readonly LineFault[]> {
  const faults: LineFault[] = [];
  const customIds = new TextSet();
  const models = new Map<string, GatewayError | undefined>();
  let count = 0;
  let sliceEnd = performance.now() + SLICE_MS;

  const check = (line: JsonlLine): InputTask => {
    if ('fault' in line) throw unreadable(line.fault);
    const {
      customId,
      endpoint,
      request,
      model = '',
    } = readBatchLine(parsePart(line.text, true, 'body', true), rules.endpoint);
    if (!customIds.add(customId)) {
      throw new FaultyLine('duplicate_custom_id', 'The custom_id of this line was used before.', 'custom_id');
    }
    if (!models.has(model)) models.set(model, faultOfModel(model, rules.assertModel));
    const fault = models.get(model);
    if (fault !== undefined) throw new FaultyLine(fault.code ?? 'model_not_found', fault.message, 'body.model');
    const { operation, dialect } = endpoint;
    return { customId, operation, dialect, model, request: printExact(request) };
  };
  try {
    for await (const line of jsonlLines(content, MAX_LINE_BYTES)) {
      count += 1;
      if (count > rules.maxLines) {
        const message = `The file has more than ${rules.maxLines} requests. Split it.`;
        faults.push({ code: 'too_many_tasks', line: null, message, param: null });
        break;
      }
      let task: InputTask | undefined;
      try {
        task = check(line);
      } catch (error) {
        faults.push(lineFault(error, line.number));
        if (faults.length === MAX_FAULTS) break;
      }
      if (task !== undefined && faults.length === 0) await rules.take(task);
      if (performance.now() < sliceEnd) continue;
      await new Promise(setImmediate);
      await rules.onYield();
      sliceEnd = performance.now() + SLICE_MS;
    }
  } catch (error) {
    if (!isOfZlib(error)) throw error;
    const message = 'The file begins like gzip, but cannot be decompressed. Upload it again, or uncompressed.';
    faults.push({ code: 'invalid_gzip', line: null, message, param: null });
  }
  if (count === 0 && faults.length === 0) {
    faults.push({ code: 'empty_file', line: null, message: 'The file has no requests.', param: null });
  }
  return faults;
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

/** Errors of zlib have codes such as `Z_DATA_ERROR`. */
function isOfZlib(error: unknown): boolean {
  const { code } = objectOf(error);
  return typeof code === 'string' && code.startsWith('Z_');
}

import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { versionHeader } from '../definitions/anthropic.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { RepeatableBody } from '../transport/upstream-request.js';
import { BatchApi, type BatchCall, type LostPart, type NewPart, type PartLine, type PartReceipt } from './batch-api.js';
import type { PartResult, PartState } from './batch-api.js';
import { cancelBatch, type BatchClient } from './batch-client.js';
import { checkedBody } from './creation-check.js';
import { readAnthropicLine } from './read-line.js';

const PATH = '/messages/batches';
const PAGE_BATCHES = 100;
const MAX_PAGES = 50;
/** Milliseconds by which the provider's clock may differ. */
const CLOCK_SKEW_MS = 60_000;
const PREFIX = Buffer.from('{"requests":[');
const SUFFIX = Buffer.from(']}');
/** Headers of Anthropic's API that may hold for all requests of a batch. */
const PASSED_HEADERS = ['anthropic-version', 'anthropic-beta'];

/** Anthropic's Message Batches. https://docs.claude.com/en/api/creating-message-batches */
export class AnthropicMessageBatches extends BatchApi {
  readonly separator = ',';

  constructor(
    format: BatchFormat,
    private readonly client: BatchClient,
  ) {
    super(format);
  }

  line({ customId, body }: PartLine): string {
    return `{"custom_id":${JSON.stringify(customId)},"params":${body}}`;
  }

  async create({ lines, headers, creation }: NewPart, call: BatchCall): Promise<PartReceipt> {
    const body: RepeatableBody = {
      contentType: 'application/json',
      length: PREFIX.length + lines.length + SUFFIX.length,
      open: async function* () {
        yield PREFIX;
        yield* lines.open();
        yield SUFFIX;
      },
    };
    const passed = Object.fromEntries(Object.entries(headers).filter(([name]) => PASSED_HEADERS.includes(name)));
    await creation.begin();
    const sent = checkedBody(body, creation);
    const created = await this.client.upload({ path: PATH, body: sent, headers: { ...VERSION, ...passed } }, call);
    const id = nonEmptyString(created['id']);
    if (id === undefined) throw upstreamError({ message: 'The provider gave a batch no id.' });
    return { id };
  }

  /** A message batch has no metadata: it is the one that no other part has, with as many requests, made since then. */
  async find({ since, lineCount, known }: LostPart, call: BatchCall): Promise<string | undefined> {
    let after: string | undefined;
    let found: string | undefined;
    for (let index = 0; index < MAX_PAGES; index += 1) {
      const query = `?limit=${PAGE_BATCHES}${after === undefined ? '' : `&after_id=${encodeURIComponent(after)}`}`;
      const page = await this.client.json({ method: 'GET', path: `${PATH}${query}`, headers: VERSION }, call);
      const batches = Array.isArray(page['data']) ? (page['data'] as unknown[]).filter(isObject) : [];
      for (const batch of batches) {
        const id = nonEmptyString(batch['id']);
        const isOlder = createdAt(batch) < since - CLOCK_SKEW_MS;
        if (id === undefined || isOlder || known.has(id) || requestsOf(batch) !== lineCount) continue;
        // The list begins with the newest; the oldest that fits was made first.
        found = id;
      }
      const last = batches.at(-1);
      after = nonEmptyString(last?.['id']);
      const isOld = last !== undefined && createdAt(last) < since - CLOCK_SKEW_MS;
      if (after === undefined || isOld || page['has_more'] !== true) return found;
    }
    return found;
  }

  async state(id: string, call: BatchCall): Promise<PartState> {
    const path = `${PATH}/${encodeURIComponent(id)}`;
    const batch = await this.client.json({ method: 'GET', path, headers: VERSION }, call);
    const status = nonEmptyString(batch['processing_status']) ?? 'unknown';
    // A batch that was cancelled ends as `ended` as well; its results say what became of each request.
    const isEnded = status === 'ended';
    const hasResults = nonEmptyString(batch['results_url']) !== undefined;
    return { isEnded, status, outputs: isEnded && hasResults ? [`${path}/results`] : [], files: [] };
  }

  async cancel(id: string, call: BatchCall): Promise<void> {
    await cancelBatch(this.client, { path: `${PATH}/${encodeURIComponent(id)}/cancel`, headers: VERSION }, call);
  }

  async *results(output: string, call: BatchCall): AsyncGenerator<PartResult | undefined> {
    for await (const line of this.client.lines(output, VERSION, call)) yield readAnthropicLine(line);
  }

  /** It has no files. */
  deleteFile(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

const VERSION = versionHeader({ headers: {} });

function createdAt({ created_at: created }: JsonObject): number {
  const time = typeof created === 'string' ? Date.parse(created) : Number.NaN;
  return Number.isNaN(time) ? Infinity : time;
}

/** All requests of a batch, by its counts. */
function requestsOf({ request_counts: counts }: JsonObject): number {
  return Object.values(objectOf(counts)).reduce<number>(
    (sum, count) => sum + (typeof count === 'number' ? count : 0),
    0,
  );
}

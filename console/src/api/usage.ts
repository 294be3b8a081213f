import { toCsv } from '../../../src/http/csv';
import { SUM_COLUMNS } from '../../../src/usage/report/sum-columns';
import { api, bodyOf, type Schemas } from './client';
import type { paths } from './schema';

export type UsageQuery = NonNullable<paths['/v1/admin/usage']['get']['parameters']['query']>;
export type UsageRow = Schemas['UsageRow'];

/** Rows of a page where a query names no limit: the most that the API gives. Each page takes the gateway a scan of the whole period. */
const PAGE_ROWS = 1_000;
/** Pages of a report that the console reads; beyond it the report says that it is cut. */
const MAX_PAGES = 1;

/** Rows of a report, and whether there are more than were read. */
export interface UsageReport {
  readonly rows: readonly UsageRow[];
  readonly isCut: boolean;
}

/** A report of several pages. @param isOwn of the own key alone @param maxPages the most that are read */
export async function readUsage(query: UsageQuery, isOwn = false, maxPages = MAX_PAGES): Promise<UsageReport> {
  const rows: UsageRow[] = [];
  let after: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const params = { query: { limit: PAGE_ROWS, ...query, ...(after !== undefined && { after }) } };
    const list = await (isOwn
      ? bodyOf(api.GET('/v1/key/usage', { params }))
      : (bodyOf(api.GET('/v1/admin/usage', { params })) as Promise<Schemas['UsageRowList']>));
    rows.push(...list.data);
    if (list.next === null) return { rows, isCut: false };
    after = list.next;
  }
  return { rows, isCut: true };
}

/** All rows of a report as CSV, with the columns of the API. */
export async function usageCsv(query: UsageQuery): Promise<string> {
  const { rows } = await readUsage(query, false, Infinity);
  return toCsv(SUM_COLUMNS, rows);
}

/** Sums over rows. */
export function totalOf(rows: readonly UsageRow[]): {
  requests: number;
  failed: number;
  cost: number;
  prompt: number;
  completion: number;
  tokens: number;
} {
  const total = { requests: 0, failed: 0, cost: 0, prompt: 0, completion: 0, tokens: 0 };
  for (const row of rows) {
    total.requests += row.requests;
    total.failed += row.failed_requests;
    total.cost += row.cost_usd;
    total.prompt += row.prompt_tokens;
    total.completion += row.completion_tokens;
    total.tokens += row.total_tokens;
  }
  return total;
}

import { api, bodyOf, type Schemas } from './client';
import type { paths } from './schema';

export type UsageQuery = NonNullable<paths['/v1/admin/usage']['get']['parameters']['query']>;
export type UsageRow = Schemas['UsageRow'];

/** Rows of a page: the most that the API gives. */
const PAGE_ROWS = 100;
/** Pages of a report that the console reads; beyond it the report says that it is cut. */
const MAX_PAGES = 8;

/** Rows of a report, and whether there are more than were read. */
export interface UsageReport {
  readonly rows: readonly UsageRow[];
  readonly isCut: boolean;
}

/** A report of several pages. @param isOwn of the own key alone */
export async function readUsage(query: UsageQuery, isOwn = false): Promise<UsageReport> {
  const rows: UsageRow[] = [];
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params = { query: { ...query, limit: PAGE_ROWS, ...(after !== undefined && { after }) } };
    const list = await (isOwn
      ? bodyOf(api.GET('/v1/key/usage', { params }))
      : (bodyOf(api.GET('/v1/admin/usage', { params })) as Promise<Schemas['UsageRowList']>));
    rows.push(...list.data);
    if (list.next === null) return { rows, isCut: false };
    after = list.next;
  }
  return { rows, isCut: true };
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

import { toCsv } from '../../../src/http/csv';
import { SUM_COLUMNS } from '../../../src/usage/report/sum-columns';
import { api, ApiError, bodyOf, type Schemas } from './client';
import type { PagePlace } from './list-pages';
import type { paths } from './schema';

export type UsageQuery = NonNullable<paths['/v1/admin/usage']['get']['parameters']['query']>;
export type UsageRow = Schemas['UsageRow'];

/** Rows of a page where a query names no limit: the most that the API gives. */
const PAGE_ROWS = 1_000;
/** Rows of a page of a list that is read as it is scrolled. */
const LIST_ROWS = 200;

interface ReadOptions {
  /** Of the own key alone. */
  readonly isOwn?: boolean;
  /** Aborted when the report is not shown any more: the gateway then stops reading. */
  readonly signal?: AbortSignal;
}

/** One page of a report. */
async function readPage(
  query: UsageQuery,
  { isOwn = false, signal }: ReadOptions = {},
): Promise<Schemas['UsageRowList']> {
  const options = { params: { query: { limit: PAGE_ROWS, ...query } }, ...(signal !== undefined && { signal }) };
  return isOwn ? bodyOf(api.GET('/v1/key/usage', options)) : bodyOf(api.GET('/v1/admin/usage', options));
}

/** Whether a report of the time that is shown has been read, or has failed. */
export function isRead({
  isPending,
  isPlaceholderData,
}: {
  readonly isPending: boolean;
  readonly isPlaceholderData: boolean;
}): boolean {
  return !isPending && !isPlaceholderData;
}

/** The first rows of a report: 1,000, or as many as the query says. */
export async function readUsage(query: UsageQuery, options?: ReadOptions): Promise<readonly UsageRow[]> {
  return (await readPage(query, options)).data;
}

/** A page of the groups of a period, those with the highest cost first; in the order of the groups where there are too many for that. */
export async function readGroups(
  query: UsageQuery,
  place: PagePlace,
  signal: AbortSignal,
): Promise<Schemas['UsageRowList'] & Required<Pick<PagePlace, 'order_by'>>> {
  const order = place.order_by ?? 'cost';
  try {
    return {
      ...(await readPage({ limit: LIST_ROWS, ...query, ...place, order_by: order }, { signal })),
      order_by: order,
    };
  } catch (error) {
    const isRefused = error instanceof ApiError && error.param === 'order_by' && place.order_by === undefined;
    if (!isRefused) throw error;
    return readGroups(query, { order_by: 'group' }, signal);
  }
}

/** The groups with the highest cost, or, where nothing has a cost, those with the most requests. */
export async function readTop(
  query: UsageQuery,
  most: number,
  signal: AbortSignal,
): Promise<{ readonly unit: 'spend' | 'requests'; readonly rows: readonly UsageRow[] }> {
  const rows = await readUsage({ ...query, order_by: 'cost', limit: most }, { signal });
  if (rows.some(({ cost_usd: cost }) => cost > 0)) return { unit: 'spend', rows };
  const all = rows.length < most ? rows : await readUsage(query, { signal });
  return {
    unit: rows.length === 0 ? 'spend' : 'requests',
    rows: all.toSorted((one, other) => other.requests - one.requests).slice(0, most),
  };
}

/** All rows of a report as CSV, with the columns of the API. */
export async function usageCsv(query: UsageQuery): Promise<string> {
  const rows: UsageRow[] = [];
  let after: string | undefined;
  do {
    const page = await readPage({ ...query, ...(after !== undefined && { after }) });
    rows.push(...page.data);
    after = page.next ?? undefined;
  } while (after !== undefined);
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

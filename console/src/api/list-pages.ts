import { useInfiniteQuery } from '@tanstack/react-query';

interface ListPage<Row> {
  readonly data: readonly Row[];
  /** The cursor of the next page; null on the last one. */
  readonly next?: string | null;
  /** The order of a list that has several. */
  readonly order_by?: 'cost' | 'group';
}

/** Where a page begins: behind a cursor, in the order of the page before, or, without one, at the start of the list. */
export type PagePlace = { readonly after?: string } & Pick<ListPage<never>, 'order_by'>;

const FIRST_PAGE: PagePlace = {};

interface ListOptions {
  /** Milliseconds between two refreshes, which read all pages that are shown; false for none. @param pages that are shown */
  readonly refreshMs?: (pages: number) => number | false;
}

/**
 * The rows of a list that is read page by page. While another list of the same kind is read, the rows before stay.
 *
 * @param read reads a page; its signal is aborted when the list is not shown any more
 */
export function useListPages<Row>(
  queryKey: readonly unknown[],
  read: (place: PagePlace, signal: AbortSignal) => Promise<ListPage<Row>>,
  { refreshMs = () => false }: ListOptions = {},
) {
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: FIRST_PAGE,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    getNextPageParam: ({ next, order_by: order }): PagePlace | undefined =>
      next == null ? undefined : { after: next, ...(order !== undefined && { order_by: order }) },
    refetchInterval: ({ state }) => refreshMs(state.data?.pages.length ?? 0),
    placeholderData: (before) => before,
  });
  return { query, rows: query.data?.pages.flatMap(({ data }) => data) ?? [] };
}

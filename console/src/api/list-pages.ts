import { useInfiniteQuery } from '@tanstack/react-query';

interface ListPage<Row> {
  readonly data: readonly Row[];
  /** The cursor of the next page; null on the last one. */
  readonly next?: string | null;
}

/** Where a page begins: behind a cursor, or, without one, at the start of the list. */
export type PagePlace = { readonly after?: string };

const FIRST_PAGE: PagePlace = {};

interface ListOptions {
  /** Milliseconds between two refreshes, which read all pages that are shown; false for none. @param pages that are shown */
  readonly refreshMs?: (pages: number) => number | false;
}

/** The rows of a list that is read page by page. While another list of the same kind is read, the rows before stay. */
export function useListPages<Row>(
  queryKey: readonly unknown[],
  read: (place: PagePlace) => Promise<ListPage<Row>>,
  { refreshMs = () => false }: ListOptions = {},
) {
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: FIRST_PAGE,
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: ({ next }): PagePlace | undefined => (next == null ? undefined : { after: next }),
    refetchInterval: ({ state }) => refreshMs(state.data?.pages.length ?? 0),
    placeholderData: (before) => before,
  });
  return { query, rows: query.data?.pages.flatMap(({ data }) => data) ?? [] };
}

import { type ReactNode, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';

const ROW_PIXELS = 44;
/** Rows that are fetched ahead of the end of what is seen. */
const ROWS_AHEAD = 15;

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** A track of a CSS grid. */
  readonly width?: string;
  readonly isNumber?: boolean;
  /** Smallest width of the window, in pixels, that shows the column. */
  readonly from?: number;
  /** Makes the column sortable once all rows are there. */
  readonly sort?: (row: Row) => number | string;
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly onOpen?: (row: Row) => void;
  /** What the button of a row is called, for readers of the screen. */
  readonly openLabel?: (row: Row) => string;
  readonly hasMore?: boolean;
  readonly isLoadingMore?: boolean;
  readonly onMore?: () => void;
  readonly initialSort?: { readonly id: string; readonly descending: boolean };
}

function onResize(listener: () => void): () => void {
  addEventListener('resize', listener);
  return () => removeEventListener('resize', listener);
}

/** The width of the window in pixels. */
export function useWidth(): number {
  return useSyncExternalStore(onResize, () => innerWidth);
}

/** Rows of any number: only those in view are in the page. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  keyOf,
  onOpen,
  openLabel,
  hasMore = false,
  isLoadingMore = false,
  onMore,
  initialSort,
}: DataTableProps<Row>) {
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const [order, setOrder] = useState(initialSort);
  const width = useWidth();
  const shown = columns.filter(({ from = 0 }) => width >= from);
  const tracks = shown.map((column) => column.width ?? 'minmax(0,1fr)').join(' ');
  // A part of the rows stays in the order of the list.
  const sortBy = hasMore ? undefined : columns.find(({ id }) => id === order?.id)?.sort;
  const sorted = sortBy === undefined || order === undefined ? rows : sortedBy(rows, sortBy, order.descending);

  useLayoutEffect(() => setMargin(body.current === null ? 0 : body.current.getBoundingClientRect().top + scrollY), []);
  const virtual = useWindowVirtualizer({
    count: sorted.length,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
    scrollMargin: margin,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && last >= sorted.length - ROWS_AHEAD) onMore?.();
  }, [hasMore, isLoadingMore, last, sorted.length, onMore]);

  return (
    <div role="table" aria-label={label} aria-rowcount={hasMore ? -1 : sorted.length + 1} className="num text-sm">
      <div role="rowgroup">
        <div
          role="row"
          className="grid items-center gap-4 border-y border-line bg-bg px-4 py-2 text-xs font-medium text-muted first:border-t-0"
          style={{ gridTemplateColumns: tracks }}
        >
          {shown.map((column) => {
            const isSorted = !hasMore && order?.id === column.id;
            const Arrow = order?.descending === true ? ArrowDown : ArrowUp;
            return (
              <div
                key={column.id}
                role="columnheader"
                aria-sort={isSorted ? (order.descending ? 'descending' : 'ascending') : undefined}
                className={`truncate ${column.isNumber === true ? 'text-right' : ''}`}
              >
                {column.sort === undefined || hasMore ? (
                  column.header
                ) : (
                  <button
                    type="button"
                    className="inline-flex items-center gap-1 hover:text-text"
                    onClick={() => setOrder({ id: column.id, descending: isSorted ? !order.descending : true })}
                  >
                    {column.header}
                    {isSorted && <Arrow size={12} aria-hidden />}
                  </button>
                )}
              </div>
            );
          })}
        </div>
      </div>
      <div role="rowgroup" ref={body} className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = sorted[item.index];
          if (row === undefined) return null;
          return (
            <div
              key={keyOf(row)}
              role="row"
              aria-rowindex={item.index + 2}
              className={`absolute inset-x-0 top-0 grid items-center gap-4 border-b border-line px-4 ${onOpen === undefined ? '' : 'cursor-pointer hover:bg-raised'}`}
              style={{
                gridTemplateColumns: tracks,
                height: ROW_PIXELS,
                transform: `translateY(${item.start - margin}px)`,
              }}
              onClick={onOpen === undefined ? undefined : () => onOpen(row)}
            >
              {shown.map((column, index) => (
                <div
                  key={column.id}
                  role="cell"
                  className={`min-w-0 truncate ${column.isNumber === true ? 'text-right' : ''}`}
                >
                  {index === 0 && onOpen !== undefined ? (
                    <button
                      type="button"
                      className="block max-w-full truncate rounded text-left"
                      onClick={(event) => {
                        event.stopPropagation();
                        onOpen(row);
                      }}
                    >
                      {column.cell(row)}
                      {openLabel !== undefined && <span className="sr-only">{openLabel(row)}</span>}
                    </button>
                  ) : (
                    column.cell(row)
                  )}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      {isLoadingMore && (
        <p role="status" className="px-4 py-3 text-muted">
          Loading more rows
        </p>
      )}
    </div>
  );
}

function sortedBy<Row>(rows: readonly Row[], by: (row: Row) => number | string, descending: boolean): Row[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [first, second] = [by(one), by(other)];
    return first === second ? 0 : first < second ? -sign : sign;
  });
}

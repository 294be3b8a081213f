import { useEffect, useRef, useState } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { time } from '../format';
import { useTheme } from '../shell/theme';
import { Skeleton } from './basics';

export interface Series {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Number of the colour, 1 to 4; `bad` for failures. */
  readonly colour: 1 | 2 | 3 | 4 | 'bad';
  readonly isFilled?: boolean;
}

interface TimeChartProps {
  readonly label: string;
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly height?: number;
  readonly kind?: 'line' | 'bars';
}

const cssValue = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (colour: Series['colour']): string => cssValue(colour === 'bad' ? '--bad' : `--chart-${colour}`);
const legendColour = {
  1: 'bg-(--chart-1)',
  2: 'bg-(--chart-2)',
  3: 'bg-(--chart-3)',
  4: 'bg-(--chart-4)',
  bad: 'bg-bad',
};

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
/** Days are kept in UTC, so their names are those of UTC. */
const utcDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** Whether the values are those of days. */
const isDailyOf = (times: readonly number[]): boolean => (times[1] ?? 0) - (times[0] ?? 0) >= 86_400;

function tickOf(seconds: number, isDaily: boolean): string {
  const at = new Date(seconds * 1_000);
  if (isDaily) return utcDay.format(at);
  return at.getHours() === 0 && at.getMinutes() === 0 ? shortDay.format(at) : clock.format(at);
}

/** Height of a chart in pixels, without its legend. */
const CHART_PIXELS = 190;
/** The legend has the same height at all times: the values under the pointer are part of it, and move nothing below. */
const LEGEND = 'mb-1 h-10 xl:h-5';

/** The place of a chart that is still to come, of the same size. @param height of the chart in pixels */
export function ChartSkeleton({ height = CHART_PIXELS }: { readonly height?: number }) {
  return (
    <div>
      <div className={LEGEND} />
      <div style={{ height }}>
        <Skeleton className="h-full w-full" />
      </div>
    </div>
  );
}

/** Values over time, with a legend that names the values under the pointer. */
export function TimeChart({ label, times, series, format, height = CHART_PIXELS, kind = 'line' }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = useTheme();

  useEffect(() => {
    const element = box.current;
    if (element === null || times.length === 0) return;
    const line = cssValue('--line');
    const muted = cssValue('--muted');
    const font = '11px Inter Variable, sans-serif';
    const step = (times[1] ?? 0) - (times[0] ?? 0);
    const isDaily = isDailyOf(times);
    const bars = UPlot.paths.bars?.({ size: [0.7, 28], radius: 0.15 });
    const smooth = UPlot.paths.spline?.();
    const plot = new UPlot(
      {
        width: element.clientWidth,
        height,
        // Right: half of the widest label of a day or an hour.
        padding: [8, 24, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        scales: {
          y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.12 : 1] },
          ...(kind === 'bars' && {
            x: {
              range: (_plot: UPlot, low: number, high: number): [number, number] => [low - step / 2, high + step / 2],
            },
          }),
        },
        axes: [
          {
            stroke: muted,
            font,
            grid: { show: false },
            ticks: { show: false },
            space: 62,
            size: 26,
            values: (_plot, values) => values.map((value) => tickOf(value, isDaily)),
          },
          {
            stroke: muted,
            font,
            grid: { stroke: line, width: 1 },
            ticks: { show: false },
            size: 58,
            space: 38,
            values: (_plot, values) => values.map((value) => format(value)),
          },
        ],
        series: [
          {},
          ...series.map((each) => {
            const colour = colourOf(each.colour);
            const shape = kind === 'bars' ? bars : smooth;
            return {
              label: each.label,
              stroke: colour,
              width: kind === 'bars' ? 0 : 1.75,
              points: { show: kind === 'line' && times.length < 3 },
              ...(kind === 'bars' ? { fill: colour } : each.isFilled === true ? { fill: `${colour}1f` } : {}),
              ...(shape !== undefined && { paths: shape }),
            };
          }),
        ],
        hooks: { setCursor: [(current) => setAt(current.cursor.idx ?? null)] },
      },
      [[...times], ...series.map(({ values }) => [...values])],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, series, format, height, kind, theme]);

  const shownAt = at !== null && times[at] !== undefined ? times[at] : undefined;
  return (
    <figure aria-label={label} className="min-w-0">
      <figcaption
        className={`num flex flex-wrap content-start gap-x-4 gap-y-1 overflow-hidden text-xs text-muted ${LEGEND}`}
      >
        {series.map((each) => {
          const value = at === null ? undefined : each.values[at];
          return (
            <span key={each.label} className="inline-flex items-center gap-1.5">
              <span aria-hidden className={`size-2 rounded-xs ${legendColour[each.colour]}`} />
              {each.label}
              {value !== undefined && value !== null && <span className="font-medium text-text">{format(value)}</span>}
            </span>
          );
        })}
        {shownAt !== undefined && (
          <span className="ml-auto">
            {isDailyOf(times) ? `${utcDay.format(shownAt * 1_000)} (UTC)` : time(shownAt)}
          </span>
        )}
      </figcaption>
      <div ref={box} className="w-full overflow-hidden" style={{ height }} aria-hidden />
    </figure>
  );
}

interface RankedBarsProps {
  readonly label: string;
  readonly rows: readonly { readonly name: string; readonly value: number }[];
  readonly format: (value: number) => string;
}
/** The largest of a list, as bars. */
export function RankedBars({ label, rows, format }: RankedBarsProps) {
  const most = Math.max(...rows.map(({ value }) => value), 0);
  return (
    <ol aria-label={label} className="space-y-2.5">
      {rows.map(({ name, value }) => (
        <li key={name}>
          <div className="mb-1 flex justify-between gap-3">
            <span className="truncate" title={name}>
              {name}
            </span>
            <span className="num shrink-0 text-muted">{format(value)}</span>
          </div>
          <svg viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden className="block h-1 w-full rounded-full">
            <rect width="100" height="2" fill="var(--raised)" />
            <rect width={most > 0 ? Math.max(0.6, (value / most) * 100) : 0} height="2" fill="var(--chart-1)" />
          </svg>
        </li>
      ))}
    </ol>
  );
}

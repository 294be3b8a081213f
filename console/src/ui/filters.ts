import { useMemo } from 'react';
import { useNavigate, useSearch } from '@tanstack/react-router';

/** The filters of a page: they live in the address, so that a page can be shared and the way back works. */
export function useFilters(): readonly [
  Readonly<Record<string, string | undefined>>,
  (changes: Record<string, string | undefined>) => void,
] {
  const search: Readonly<Record<string, string | undefined>> = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (changes: Record<string, string | undefined>): void => {
    // From the address and not from what is shown, which may be of an address before.
    const next = (before: Record<string, unknown>): Record<string, unknown> =>
      Object.fromEntries(
        Object.entries({ ...before, ...changes }).filter(([, value]) => value !== undefined && value !== ''),
      );
    void navigate({ to: '.', search: next, replace: true });
  };
  return [search, change];
}

export const PERIODS = [
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
] as const;
export type PeriodName = (typeof PERIODS)[number][0];

const HOURS: Record<PeriodName, number> = { '24h': 24, '7d': 168, '30d': 720, '90d': 2_160 };

export interface Period {
  readonly name: PeriodName;
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  readonly interval: 'hour' | 'day';
}

/** A period that ends now, to the minute, so that it is the same for a while. */
export function usePeriod(name: string | undefined, byDefault: PeriodName = '24h'): Period {
  const known = PERIODS.find(([each]) => each === name)?.[0] ?? byDefault;
  const minute = Math.floor(Date.now() / 60_000);
  return useMemo(() => {
    const end = (minute + 1) * 60;
    const interval = HOURS[known] <= 168 ? 'hour' : 'day';
    const step = interval === 'hour' ? 3_600 : 86_400;
    return { name: known, start: Math.floor((end - HOURS[known] * 3_600) / step) * step, end, interval };
  }, [known, minute]);
}

/** The beginnings of all buckets of a period. */
export function bucketsOf({ start, end, interval }: Period): number[] {
  const step = interval === 'hour' ? 3_600 : 86_400;
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, index) => start + index * step);
}

import type { Schemas } from '../api/client';
import { Field, Input, Select } from './basics';

/** Limits and a budget, as they are typed. */
export interface SpendingText {
  readonly rpm: string;
  readonly tpm: string;
  readonly concurrency: string;
  readonly usd: string;
  readonly period: 'day' | 'week' | 'month' | 'total';
}

export function spendingText(limits: Schemas['RateLimits'] | null, budget: Schemas['Budget'] | null): SpendingText {
  return {
    rpm: String(limits?.rpm ?? ''),
    tpm: String(limits?.tpm ?? ''),
    concurrency: String(limits?.concurrency ?? ''),
    usd: String(budget?.usd ?? ''),
    period: budget?.period ?? 'month',
  };
}

/** What the API takes; null takes a limit or budget away. */
export function spendingOf(text: SpendingText): {
  limits: Schemas['RateLimits'] | null;
  budget: Schemas['CreateKey']['budget'];
} {
  const limits = {
    ...(text.rpm !== '' && { rpm: Number(text.rpm) }),
    ...(text.tpm !== '' && { tpm: Number(text.tpm) }),
    ...(text.concurrency !== '' && { concurrency: Number(text.concurrency) }),
  };
  return {
    limits: Object.keys(limits).length === 0 ? null : limits,
    budget: text.usd === '' ? null : { usd: Number(text.usd), period: text.period },
  };
}

interface SpendingFieldsProps {
  readonly value: SpendingText;
  readonly onChange: (value: SpendingText) => void;
}
export function SpendingFields({ value, onChange }: SpendingFieldsProps) {
  const numbers = [
    ['rpm', 'Requests a minute'],
    ['tpm', 'Tokens a minute'],
    ['concurrency', 'At once'],
  ] as const;
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-3">
        {numbers.map(([name, label]) => (
          <Field key={name} label={label}>
            {(id) => (
              <Input
                id={id}
                type="number"
                min={1}
                inputMode="numeric"
                placeholder="No limit"
                value={value[name]}
                onChange={(event) => onChange({ ...value, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Budget in US dollars" hint="Requests beyond it are refused until it resets.">
          {(id, describedBy) => (
            <Input
              id={id}
              aria-describedby={describedBy}
              type="number"
              min={0}
              step="any"
              inputMode="decimal"
              placeholder="No budget"
              value={value.usd}
              onChange={(event) => onChange({ ...value, usd: event.target.value })}
            />
          )}
        </Field>
        <Field label="Period">
          {(id) => (
            <Select
              id={id}
              className="w-full"
              value={value.period}
              onChange={(event) => onChange({ ...value, period: event.target.value as SpendingText['period'] })}
            >
              <option value="day">Day</option>
              <option value="week">Week</option>
              <option value="month">Month</option>
              <option value="total">In all, without a reset</option>
            </Select>
          )}
        </Field>
      </div>
    </>
  );
}

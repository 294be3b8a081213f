import type { Schemas } from '../api/client';
import { usd } from '../format';
import { Meter, Time } from './basics';

interface BudgetProps {
  readonly budget: Schemas['Budget'] | null;
  readonly usage: Schemas['BudgetUsage'] | null;
  readonly isBrief?: boolean;
}

/** What is spent of a budget, and when it begins again. */
export function BudgetBar({ budget, usage, isBrief = false }: BudgetProps) {
  if (budget === null || usage === null) return <span className="text-muted">No budget</span>;
  const period = budget.period === 'total' ? 'in all' : `a ${budget.period}`;
  const whole = usage.spent_usd + usage.remaining_usd;
  return (
    <div className="num">
      <div className="mb-1 flex justify-between gap-3 text-xs">
        <span className="truncate">
          {usd(usage.spent_usd)}{' '}
          <span className="text-muted">
            of {usd(budget.usd)} {period}
          </span>
        </span>
        {!isBrief && usage.remaining_usd <= 0 && <span className="text-bad">spent</span>}
      </div>
      <Meter
        value={usage.spent_usd}
        max={Math.max(whole, 0)}
        label={`${usd(usage.spent_usd)} of ${usd(budget.usd)} spent`}
      />
      {!isBrief && (
        <p className="mt-1.5 text-xs text-muted">
          {usage.period_end === null ? (
            'It never resets.'
          ) : (
            <>
              Resets <Time at={usage.period_end} />.
            </>
          )}
          {usage.credit_usd > 0 && ` Includes a credit of ${usd(usage.credit_usd)}.`}
        </p>
      )}
    </div>
  );
}

/** Limits as a line of text. */
export function limitsText(limits: Schemas['RateLimits'] | null): string {
  if (limits === null) return 'None';
  const parts = [
    limits.rpm === undefined ? undefined : `${limits.rpm} requests/min`,
    limits.tpm === undefined ? undefined : `${limits.tpm} tokens/min`,
    limits.concurrency === undefined ? undefined : `${limits.concurrency} at once`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'None' : parts.join(', ');
}

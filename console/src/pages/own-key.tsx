import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { readUsage } from '../api/usage';
import { Card, ErrorNote, Facts, PageHeader, Skeleton, Time } from '../ui/basics';
import { BudgetBar, limitsText } from '../ui/budget';
import { usePeriod } from '../ui/filters';
import { SpendChart } from './key-details';

/** The first page of a member: what its key may do, and what is left. */
export function OwnKey() {
  const period = usePeriod('30d');
  const { start, end, interval } = period;
  const { data: key, error, refetch } = useQuery({ queryKey: ['own-key'], queryFn: () => bodyOf(api.GET('/v1/key')) });
  const usage = useQuery({
    queryKey: ['own-usage', start],
    queryFn: ({ signal }) => readUsage({ start, end, interval }, { isOwn: true, signal }),
  });
  if (error !== null) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (key === undefined) return <Skeleton className="h-72 w-full" />;
  return (
    <>
      <PageHeader title={key.name} about="What your key may do, and what is left of its budget." />
      <div className="grid gap-4 lg:grid-cols-2">
        <Card title="Budget">
          <BudgetBar budget={key.budget} usage={key.budget_usage} />
          {key.group_id !== null && (
            <div className="mt-5">
              <h3 className="mb-2">Budget of your group</h3>
              <BudgetBar budget={key.group_budget} usage={key.group_budget_usage} />
            </div>
          )}
        </Card>
        <Card title="Rights">
          <Facts
            rows={[
              ['Models', key.allowed_models === null ? 'Every model' : key.allowed_models.join(', ')],
              ['Limits', limitsText(key.limits)],
              ['Limits of the group', limitsText(key.group_limits)],
              ['Works until', key.expires_at === null ? 'No end' : <Time key="end" at={key.expires_at} />],
            ]}
          />
        </Card>
        <Card className="lg:col-span-2">
          {usage.error !== null ? <ErrorNote error={usage.error} /> : <SpendChart period={period} rows={usage.data} />}
        </Card>
      </div>
    </>
  );
}

import { Injectable } from '@nestjs/common';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { NewJob } from '../submission/new-job.js';
import { DEFAULT_EXPIRY_SECONDS } from '../submission/new-job.js';
import type { JobOptionsDto } from './job-options.dto.js';
import { limitsOf, maxClaimOf, timeStateOf, type JobLimits, type JobOptions } from './job-options.js';
import { LineSizes } from './line-sizes.js';

/** What of a submission the options depend on. */
interface OptionsContext {
  /** Every model that its tasks name. */
  readonly models: Iterable<string>;
  readonly expiresInSeconds?: number | null | undefined;
  /** The job some of whose tasks it repeats. */
  readonly retryOf?: string;
}

/** Checks the options of a submission, and makes of them what its job keeps. */
@Injectable()
export class NewJobOptions {
  constructor(private readonly sizes: LineSizes) {}

  /** @throws GatewayError 400 for options that exclude each other, or that no task could meet */
  async of(
    fields: JobOptionsDto,
    { models, expiresInSeconds, retryOf }: OptionsContext,
  ): Promise<Pick<NewJob, 'options' | 'heldUntil' | 'holdReason' | 'maxClaim'>> {
    const given = optionsOf(fields);
    const options = retryOf === undefined ? given : { ...given, retry_of: retryOf };
    const limits = limitsOf(options);
    if (limits === undefined) return { options };
    await this.assertPriced(options, models);
    const now = Date.now();
    return {
      options,
      maxClaim: maxClaimOf(limits),
      ...holdOf(limits, now, expiresInSeconds ?? DEFAULT_EXPIRY_SECONDS),
    };
  }

  /** @throws GatewayError 400 for `max_cost_usd` where the price of one of the models is not known */
  async assertPriced(options: JobOptions | null, models: Iterable<string>): Promise<void> {
    if (options?.max_cost_usd === undefined) return;
    const unpriced = await this.sizes.unpricedOf(models);
    if (unpriced === undefined) return;
    throw invalidRequest(
      `'max_cost_usd' cannot hold: the price of the model '${unpriced}' is not known. Set its price in the configuration, or leave max_cost_usd out.`,
      'max_cost_usd',
    );
  }
}

function holdOf(limits: JobLimits, now: number, expiresInSeconds: number): Pick<NewJob, 'heldUntil' | 'holdReason'> {
  const time = timeStateOf(limits, now);
  if (time.mayStart) return {};
  const { until, reason } = time;
  if (until < now + expiresInSeconds * 1_000) return { heldUntil: until, holdReason: reason };
  const param = limits.notBefore > now ? 'not_before' : 'windows';
  const when = Number.isFinite(until) ? `, at ${new Date(until).toISOString()},` : '';
  throw invalidRequest(
    `'${param}' lets the first task start${when} only after the job has expired, ${expiresInSeconds} seconds from now. Increase expires_in, which counts from the submission.`,
    param,
  );
}

/** As they are stored: without what was not given. */
export function optionsOf({
  max_cost_usd,
  rate,
  concurrency,
  not_before,
  windows,
  dedupe,
  order,
}: JobOptionsDto): JobOptions | null {
  const { requests_per_minute, tokens_per_minute } = rate ?? {};
  if (rate != null && requests_per_minute == null && tokens_per_minute == null) {
    throw invalidRequest("'rate' needs requests_per_minute, tokens_per_minute or both.", 'rate');
  }
  const options: JobOptions = {
    ...(max_cost_usd != null && { max_cost_usd }),
    ...(rate != null && {
      rate: {
        ...(requests_per_minute != null && { requests_per_minute }),
        ...(tokens_per_minute != null && { tokens_per_minute }),
      },
    }),
    ...(concurrency != null && { concurrency }),
    ...(not_before != null && { not_before }),
    ...(windows != null && { windows }),
    ...(dedupe === true && { dedupe }),
    ...(order === 'prefix' && { order }),
  };
  return Object.keys(options).length === 0 ? null : options;
}

import { Injectable } from '@nestjs/common';
import type { BilledUnits, BilledUsage } from '../operations/billed-tokens.js';
import { CallEvents } from '../calls/call-events.js';
import { type AttemptOutcome, type CallOutcome, responderOf } from '../calls/call-outcome.js';
import type { OperationName } from '../operations/operation-types.js';
import { Pricing } from '../pricing/pricing.service.js';
import { Routing } from '../routing/routing.service.js';
import { toDollars } from '../runtime/nano-dollars.js';
import { codeLabel } from '../errors/error-codes.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { type CounterSeries, type HistogramSeries, PlainCounter, PlainHistogram } from '../metrics/plain-metrics.js';

/** Seconds. From a cached response to a long reasoning. */
const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 600];
const FIRST_TOKEN_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 40, 80];
const PER_TOKEN_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1];

/** Resolved once for each operation, model and provider, so that a call only adds to numbers. */
interface ModelSeries {
  readonly labels: { readonly operation: OperationName; readonly model: string; readonly provider: string };
  readonly requests: Map<string, CounterSeries>;
  readonly attempts: Map<string, CounterSeries>;
  readonly duration: Readonly<Record<'live' | 'batch', HistogramSeries>>;
  readonly firstToken: HistogramSeries;
  readonly perToken: HistogramSeries;
  readonly prompt: CounterSeries;
  readonly cached: CounterSeries;
  readonly cacheWrite: CounterSeries;
  readonly completion: CounterSeries;
  readonly reasoning: CounterSeries;
  readonly units: Map<string, CounterSeries>;
  readonly cost: CounterSeries;
  readonly unpriced: CounterSeries;
  readonly retries: CounterSeries;
}

/**
 * Metrics of calls to models. The label `model` is an id or a pattern of the file, otherwise `other`; `provider` is the one that
 * was called last, or `none`: no client can add a series.
 */
@Injectable()
export class CallMetrics {
  private readonly byOperation = new Map<OperationName, Map<string, ModelSeries>>();
  private readonly requests: PlainCounter;
  private readonly attempts: PlainCounter;
  private readonly duration: PlainHistogram;
  private readonly firstToken: PlainHistogram;
  private readonly perToken: PlainHistogram;
  private readonly tokens: PlainCounter;
  private readonly units: PlainCounter;
  private readonly cost: PlainCounter;
  private readonly unpriced: PlainCounter;
  private readonly retries: PlainCounter;
  private readonly fallbacks: PlainCounter;
  private readonly skippedEvents: PlainCounter;
  private readonly recoveries: PlainCounter;

  constructor(
    { registry }: MetricsRegistry,
    events: CallEvents,
    private readonly routing: Routing,
    private readonly pricing: Pricing,
  ) {
    this.requests = new PlainCounter('gateway_requests_total', 'Requests to models that have ended.', registry);
    this.attempts = new PlainCounter('gateway_attempts_total', 'Calls to providers, each try by itself.', registry);
    this.retries = new PlainCounter('gateway_retries_total', 'Tries after the first one of a request.', registry);
    this.fallbacks = new PlainCounter(
      'gateway_fallbacks_total',
      'Requests to which another model than the requested one responded.',
      registry,
    );
    this.skippedEvents = new PlainCounter(
      'gateway_skipped_events_total',
      'Events of streams that were no JSON and were left out.',
      registry,
    );
    this.recoveries = new PlainCounter(
      'gateway_stream_recoveries_total',
      'Streams that broke after their first content, by whether another deployment went on with them.',
      registry,
    );
    this.duration = new PlainHistogram(
      'gateway_request_duration_seconds',
      'From the start of a request to the end of its response.',
      CALL_BUCKETS,
      registry,
    );
    this.firstToken = new PlainHistogram(
      'gateway_time_to_first_token_seconds',
      'From the start of a streamed request to its first event.',
      FIRST_TOKEN_BUCKETS,
      registry,
    );
    this.perToken = new PlainHistogram(
      'gateway_time_per_output_token_seconds',
      'Average time between tokens of a whole stream, after the first.',
      PER_TOKEN_BUCKETS,
      registry,
    );
    this.tokens = new PlainCounter(
      'gateway_tokens_total',
      'Tokens as providers report them, estimated where a stream broke. cached and cache_write are parts of prompt, reasoning a part of completion.',
      registry,
    );
    this.units = new PlainCounter(
      'gateway_billed_units_total',
      'What calls are billed by beside tokens: images, audio_seconds, characters, search_units, web_searches.',
      registry,
    );
    this.cost = new PlainCounter('gateway_cost_dollars_total', 'US dollars, where the price is known.', registry);
    this.unpriced = new PlainCounter(
      'gateway_unpriced_requests_total',
      'Requests with usage that no price is known for.',
      registry,
    );
    events.onEnded((outcome) => this.ended(outcome));
  }

  private ended({
    operation,
    request,
    context,
    isStream,
    status,
    error,
    attempts,
    hookResponder,
    firstByte,
    duration,
    reported,
    cost,
    skippedEvents,
    recovered,
    hasFailedRecovery,
  }: CallOutcome): void {
    const last = attempts.at(-1);
    const model = this.modelLabel(request.model);
    const series = this.seriesOf(operation.name, model, responderOf({ attempts, hookResponder }) ?? 'none');
    const { source } = context;
    counted(this.requests, series.requests, series.labels, { source, status, code: codeLabel(error) });
    for (const attempt of attempts) this.attempted(operation.name, attempt);
    // Refused requests take no time and would distort the durations.
    if (last === undefined) return;
    series.duration[source].observe(duration / 1_000);
    if (attempts.length > 1) series.retries.value += attempts.length - 1;
    if (recovered > 0) this.recoveries.series({ ...series.labels, outcome: 'recovered' }).value += recovered;
    if (hasFailedRecovery) this.recoveries.series({ ...series.labels, outcome: 'failed' }).value += 1;
    if (skippedEvents > 0) this.skippedEvents.series(series.labels).value += skippedEvents;
    if (status === 'succeeded' && attempts.some((attempt) => attempt.model !== last.model)) {
      this.fallbacks.series({ operation: operation.name, model, fallback: this.modelLabel(last.model) }).value += 1;
    }
    if (isStream && firstByte !== null) {
      series.firstToken.observe(firstByte / 1_000);
      const tokens = reported?.completionTokens ?? 0;
      if (status === 'succeeded' && tokens > 1) {
        series.perToken.observe((duration - firstByte) / 1_000 / (tokens - 1));
      }
    }
    if (reported !== undefined) this.used(reported, cost(), series);
    for (const { consumed, deployment } of attempts) {
      if (consumed === undefined) continue;
      const price = this.pricing
        .costOf(consumed, deployment)
        .then((nanos) => (nanos === null ? null : toDollars(nanos)));
      this.used(consumed, price, this.seriesOf(operation.name, model, deployment.provider.name));
    }
  }

  private attempted(operation: OperationName, { model, deployment, error }: AttemptOutcome): void {
    const series = this.seriesOf(operation, this.modelLabel(model), deployment.provider.name);
    const outcome = error === null ? 'succeeded' : error.status === 499 ? 'abandoned' : 'failed';
    counted(this.attempts, series.attempts, series.labels, { outcome, code: codeLabel(error) });
  }

  private used(usage: BilledUsage, cost: Promise<number | null>, series: ModelSeries): void {
    series.prompt.value += usage.promptTokens;
    series.completion.value += usage.completionTokens;
    series.cached.value += usage.cachedTokens;
    series.cacheWrite.value += usage.cacheWriteTokens;
    series.reasoning.value += usage.reasoningTokens;
    if (usage.units !== undefined) this.usedUnits(usage.units, series);
    cost.then(
      (dollars) => {
        if (dollars === null) series.unpriced.value += 1;
        else series.cost.value += dollars;
      },
      () => {
        series.unpriced.value += 1;
      },
    );
  }

  private usedUnits(
    { images, audioSeconds, characters, searchUnits, webSearches }: BilledUnits,
    { labels, units }: ModelSeries,
  ): void {
    const amounts = {
      images,
      audio_seconds: audioSeconds,
      characters,
      search_units: searchUnits,
      web_searches: webSearches,
    };
    for (const [unit, amount] of Object.entries(amounts)) {
      if (amount === undefined) continue;
      let series = units.get(unit);
      if (series === undefined) units.set(unit, (series = this.units.series({ ...labels, unit })));
      series.value += amount;
    }
  }

  private modelLabel(modelId: string): string {
    return this.routing.current.nameOf(modelId) ?? 'other';
  }

  private seriesOf(operation: OperationName, model: string, provider: string): ModelSeries {
    let byModel = this.byOperation.get(operation);
    if (byModel === undefined) {
      byModel = new Map<string, ModelSeries>();
      this.byOperation.set(operation, byModel);
    }
    const id = `${model}\0${provider}`;
    let series = byModel.get(id);
    if (series === undefined) {
      series = this.createSeries({ operation, model, provider });
      byModel.set(id, series);
    }
    return series;
  }

  private createSeries(labels: ModelSeries['labels']): ModelSeries {
    const tokens = (kind: string): CounterSeries => this.tokens.series({ ...labels, kind });
    return {
      labels,
      requests: new Map(),
      attempts: new Map(),
      duration: {
        live: this.duration.series({ ...labels, source: 'live' }),
        batch: this.duration.series({ ...labels, source: 'batch' }),
      },
      firstToken: this.firstToken.series(labels),
      perToken: this.perToken.series(labels),
      prompt: tokens('prompt'),
      cached: tokens('cached'),
      cacheWrite: tokens('cache_write'),
      completion: tokens('completion'),
      reasoning: tokens('reasoning'),
      units: new Map(),
      cost: this.cost.series(labels),
      unpriced: this.unpriced.series(labels),
      retries: this.retries.series(labels),
    };
  }
}

/** Adds one to the series with these further labels, which is resolved only the first time. */
function counted(
  counter: PlainCounter,
  known: Map<string, CounterSeries>,
  labels: ModelSeries['labels'],
  further: Readonly<Record<string, string>>,
): void {
  let id = '';
  for (const name in further) id += `${further[name] ?? ''}\0`;
  let series = known.get(id);
  if (series === undefined) {
    series = counter.series({ ...labels, ...further });
    known.set(id, series);
  }
  series.value += 1;
}

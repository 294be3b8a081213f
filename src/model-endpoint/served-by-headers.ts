import type { StreamFacts } from '../engine/engine.js';
import { limitHeaders, type ServedBy } from '../engine/served-by.js';
import type { HttpResponse } from '../http/http-types.js';
import { headerList, headerText } from '../http/header-text.js';
import { AccessLog } from '../telemetry/access-log.js';

/** Writes into the access log how a stream ended. */
export function logStream(response: HttpResponse, { skippedEvents, recovered }: StreamFacts): void {
  const access = AccessLog.fieldsOf(response);
  if (skippedEvents > 0) access.skipped_events = skippedEvents;
  if (recovered > 0) access.recovered = recovered;
}

/**
 * Says in the headers and in the access log which deployment responded.
 *
 * @param started of the request, by `performance.now()`
 */
export function setServedBy(response: HttpResponse, servedBy: ServedBy, started: number): void {
  const { model, provider, attempts, droppedParams } = servedBy;
  response.setHeader('x-gateway-model', headerText(model));
  response.setHeader('x-gateway-provider', headerText(provider));
  response.setHeader('x-gateway-attempts', String(attempts));
  const limits = limitHeaders(servedBy);
  for (const name in limits) response.setHeader(name, limits[name] ?? '');
  if (droppedParams.length > 0) response.setHeader('x-gateway-dropped-params', headerList(droppedParams));
  response.setHeader('openai-processing-ms', String(Math.round(performance.now() - started)));
  const access = AccessLog.fieldsOf(response);
  access.model = model;
  access.provider = provider;
  access.attempts = attempts;
}

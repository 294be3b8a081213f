import type { Principal } from '../auth/principal.js';
import { GatewayError } from '../errors/gateway-error.js';
import type { Operation } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';

/**
 * Fields with which a request could choose, under the operator's credentials, what is the operator's choice. In lower case and
 * without `_` and `-`, so that no spelling bypasses them. docs/providers.md lists them; a test compares.
 */
export const OPERATOR_FIELDS = {
  /** Which model or deployment responds, or how many responses are generated and billed. */
  model: [
    'models',
    'route',
    'router',
    'provider',
    'providers',
    'preset',
    'fallbacks',
    'fallback_models',
    'context_window_fallbacks',
    'content_policy_fallbacks',
    'custom_llm_provider',
    'deployment_id',
    'engine',
    'gateway',
    'provider_options',
    'transforms',
    'plugins',
    'best_of',
    'candidate_count',
    'num_return_sequences',
    'num_retries',
    'max_retries',
    'mock_response',
  ],
  /** The provider's address, credentials and account. */
  account: [
    'api_base',
    'base_url',
    'api_key',
    'api_version',
    'api_type',
    'user_config',
    'extra_body',
    'extra_headers',
    'extra_query',
    'headers',
    'default_headers',
    'custom_headers',
    'organization',
    'organization_id',
    'project',
    'project_id',
    'litellm_params',
    'region',
    'inference_geo',
  ],
  /** The price of a token and the service tier. */
  tier: [
    'service_tier',
    'performance_config',
    'performance',
    'speed',
    'priority',
    'priority_level',
    'processing_tier',
    'betas',
    'anthropic_beta',
    'anthropic_version',
  ],
  /** State stored under the operator's account at the provider, which other keys of the gateway share. */
  state: [
    'idempotency_key',
    'request_id',
    'previous_response_id',
    'conversation',
    'conversation_id',
    'thread_id',
    'session_id',
    'cached_content',
    'container',
    'data_sources',
  ],
} as const;

/** Fields that the provider bills beside tokens, so that a price for tokens does not cover them. */
export const BILLED_EXTRAS = [
  'web_search_options',
  'web_search',
  'enable_search',
  'search_options',
  'search_parameters',
  'mcp_servers',
  'modalities',
  'audio',
] as const;

/** Headers that are passed on only for keys with the scope. */
export const OPERATOR_HEADERS: ReadonlySet<string> = new Set([
  'openai-organization',
  'openai-project',
  'openai-beta',
  'anthropic-beta',
  'idempotency-key',
]);

/** Cloud options in the form in which LiteLLM's proxy accepts them in a body. */
const CLOUD_OPTION = /^(?:aws|vertex|azure|litellm)_/i;
const OPERATOR_NAMES: ReadonlySet<string> = new Set(Object.values(OPERATOR_FIELDS).flat().map(bare));
const BILLED_NAMES: ReadonlySet<string> = new Set(BILLED_EXTRAS.map(bare));

/** The request that a key may send to a provider. */
export interface AllowedRequest<Name extends OperationName> {
  readonly request: RequestOf<Name>;
  readonly headers: Readonly<Record<string, string>>;
  /** The removed fields, by the client's names. */
  readonly dropped: readonly string[];
}

/**
 * Removes the fields that only a key with the scope `provider_options` may set: fields and headers that select the model, the
 * account, the price tier or stored state at the provider, and for keys with a budget also what is billed beside tokens.
 *
 * @throws GatewayError 400 with `strict_params`, 403 for a tool of the provider that a request with a budget is made for
 */
export function withoutOperatorOptions<Name extends OperationName>(
  operation: Operation<Name>,
  request: RequestOf<Name>,
  headers: Readonly<Record<string, string>>,
  principal: Principal,
): AllowedRequest<Name> {
  if (principal.scopes.has('provider_options'))
    return { request, headers: withOwnIdempotency(headers, principal), dropped: [] };
  const hasBudget = principal.accounts.some(({ budget }) => budget !== null);
  const knownFields = operation.knownFieldsOf(request);
  const given = operation.fieldsOf(request);
  let dropped: string[] | undefined;
  for (const name in given) {
    if (knownFields.has(name) || !isOperators(name, given[name], hasBudget, knownFields)) continue;
    (dropped ??= []).push(name);
  }
  const fields = dropped ?? [];
  const ownHeaders = operation.ownHeadersOf(request);
  const kept: Record<string, string> = {};
  const heads: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (OPERATOR_HEADERS.has(name) && !ownHeaders.has(name)) heads.push(name);
    else kept[name] = value;
  }
  const permitted = fields.length === 0 ? request : operation.withoutFields(request, fields);
  const priced = hasBudget ? operation.withoutUnpriced(permitted) : { request: permitted, dropped: [] };
  const [first] = [...fields, ...priced.dropped];
  if (first !== undefined && given['strict_params'] === true) throw notAllowed(first);
  return {
    request: priced.request,
    headers: heads.length === 0 ? headers : kept,
    dropped: [...fields.filter((name) => !isUsual(name, given[name])), ...priced.dropped, ...heads],
  };
}

function isOperators(
  name: string,
  value: unknown,
  hasBudget: boolean,
  knownFields: Operation<OperationName>['knownFields'],
): boolean {
  const plain = bare(name);
  if (OPERATOR_NAMES.has(plain) || CLOUD_OPTION.test(name)) return true;
  if (hasBudget && BILLED_NAMES.has(plain)) return !(plain === 'modalities' && isTextAlone(value));
  // A server that ignores case would read another spelling of a known field as the field itself.
  return knownFields.has(folded(name));
}

/** Values equal to the default need not be reported as dropped. */
function isUsual(name: string, value: unknown): boolean {
  return value == null || (name === 'service_tier' && (value === 'auto' || value === 'default'));
}

function isTextAlone(modalities: unknown): boolean {
  return modalities == null || (Array.isArray(modalities) && modalities.every((each) => each === 'text'));
}

/** Two keys that use the same idempotency key must not receive each other's responses. */
function withOwnIdempotency(
  headers: Readonly<Record<string, string>>,
  { keyId }: Principal,
): Readonly<Record<string, string>> {
  const chosen = headers['idempotency-key'];
  return chosen === undefined ? headers : { ...headers, 'idempotency-key': `${keyId}-${chosen}` };
}

function notAllowed(name: string): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_parameter',
    message: `'${name}' may be set by keys with the scope 'provider_options' alone. Leave it out, or send the request without strict_params.`,
    param: name,
  });
}

function bare(name: string): string {
  return folded(name).replace(/[_-]/g, '');
}

/** Folds names as servers that ignore case do: the long s and the kelvin sign become letters. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

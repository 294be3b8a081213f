/**
 * Claude on Bedrock: Converse, and InvokeModel with the body of Anthropic Messages, which a gateway uses for clients of that
 * format.
 */
import { anthropic } from './anthropic.mjs';
import { bedrockConverse } from './bedrock-converse.mjs';
import { eventFrame } from './event-stream.mjs';
import { require } from './refusal.mjs';

const INVOKE = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream)$/;
const VERSION = 'bedrock-2023-05-31';

/** @type {import('./server.mjs').Format['route']} */
function route(request) {
  const [, model, action] = request.path.match(INVOKE) ?? [];
  if (request.method !== 'POST' || action === undefined) return bedrockConverse.route(request);
  return { kind: 'generate', stream: action !== 'invoke', model: decodeURIComponent(model) };
}

/** Converse bodies have no version. */
const isInvoke = (body) => body?.anthropic_version !== undefined || body?.max_tokens !== undefined;

function check(body, context) {
  if (!isInvoke(body)) return bedrockConverse.check(body, context);
  const { anthropic_version: version, anthropic_beta: betas = [], ...rest } = body;
  require(version === VERSION, 'anthropic_version: Field required');
  for (const name of ['model', 'stream']) require(!(name in rest), `${name}: Extra inputs are not permitted`);
  require(/^(?:AWS4-HMAC-SHA256|Bearer) ./.test(context.headers.authorization ?? ''), 'Missing Authentication Token', {
    status: 403,
    type: 'MissingAuthenticationTokenException',
  });
  const headers = { 'x-api-key': 'of AWS', 'anthropic-version': version, 'anthropic-beta': betas.join(',') };
  anthropic.check({ ...rest, model: context.model }, { ...context, headers });
}

/** Each event of Anthropic's stream is a frame of its own, in base64. */
function* invokeStream(response, context) {
  for (const event of anthropic.stream(response, context)) {
    const data = event.toString().match(/^data: (.*)$/m)[1];
    yield eventFrame('chunk', { bytes: Buffer.from(data).toString('base64'), p: 'abcdefgh' });
  }
}

const formatOf = ({ body }) => (isInvoke(body) ? anthropic : bedrockConverse);

/** @type {import('./server.mjs').Format} */
export const bedrockClaude = {
  ...bedrockConverse,
  name: 'bedrock-claude',
  route,
  check,
  read: (body, context) => (isInvoke(body) ? anthropic : bedrockConverse).read(body, context),
  newId: (custom) => `toolu_bdrk_${anthropic.newId(custom).slice('toolu_'.length)}`,
  write: (response, context) => formatOf(context).write(response, context),
  stream: (response, context) => (isInvoke(context.body) ? invokeStream : bedrockConverse.stream)(response, context),
};

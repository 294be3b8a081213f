import type { JsonObject } from '../../../runtime/json-value.js';
import type { ChatEndpoint, ChatEndpointCall, TokenCounting } from '../types/chat-format.js';

/** The version of the Messages API in a body of rawPredict. */
const VERSION = 'vertex-2023-10-16';

function publisherPath({ cloud }: ChatEndpointCall): string {
  const { project = '', region = 'global' } = cloud ?? {};
  return `/v1/projects/${project}/locations/${region}/publishers/anthropic/models`;
}

/** rawPredict, with which Claude takes and gives the Messages API as it is. */
export function rawPredictEndpoint(call: ChatEndpointCall): ChatEndpoint {
  const { upstreamModel, isStream } = call;
  return { path: `${publisherPath(call)}/${upstreamModel}:${isStream ? 'streamRawPredict' : 'rawPredict'}` };
}

/** The address names the model. */
export function fitRawPredictBody(body: JsonObject): JsonObject {
  const { model: _model, ...fields } = body;
  return { anthropic_version: VERSION, ...fields };
}

/** What the writer must know: Vertex AI fetches no addresses, and has neither structured outputs nor strict tools for Claude. */
export const CLAUDE_ON_VERTEX_TRAITS = { urlSources: false, structuredOutput: false, strictTools: false } as const;

/** The count of tokens is a model of its own, whose body names the model that is asked for. */
export const CLAUDE_ON_VERTEX_COUNT: TokenCounting = {
  endpoint: (call) => ({ path: `${publisherPath(call)}/count-tokens:rawPredict` }),
  fitBody: ({ stream: _stream, max_tokens: _max, ...body }, { upstreamModel }) => ({
    anthropic_version: VERSION,
    ...body,
    model: upstreamModel,
  }),
  read: (body) => body['input_tokens'],
};

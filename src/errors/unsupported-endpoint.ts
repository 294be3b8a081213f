import { notFound, type GatewayError } from './gateway-error.js';

/** An API that clients know and the gateway does not serve, and the shape that its clients read errors in. */
export interface UnsupportedEndpoint {
  readonly error: GatewayError;
  readonly body: object;
}

/** Paths of OpenAI's, Anthropic's, Cohere's and Jina's APIs, under whichever prefix clients put before them. */
const OPENAI_PATH =
  /^\/(?:openai\/|anthropic\/|api\/)?(?:deployments\/[^/]+\/)?(?:v\d+\/)?(?:assistants|audio|batches|chat\/completions\/[^/]+|chatkit|classify|complete|completions|containers|conversations|edits|embed|embeddings|engines|evals|files|fine-tunes|fine_tuning|images|messages|moderations|organizations?|realtime|rerank|responses|score|skills|threads|tokenize|uploads|vector_stores|videos)(?:\/|$)/;
const ANTHROPIC_PATH = /\/(?:messages|complete)(?:\/|$)/;
/** All that is below the versions of Gemini's API. */
const GEMINI_PATH = /^\/(?:(?:upload|download)\/)?v1(?:alpha|beta\d?)(?:[/:]|$)/;
/** Methods of models by which version 1 of Gemini's API differs from OpenAI's, whose ids of models may have a colon as well. */
const GEMINI_V1_METHOD =
  /^\/v1\/(?:models|tunedModels)\/.+:(?:predict|predictLongRunning|rawPredict|streamRawPredict|batchGenerateContent|asyncBatchEmbedContent|bidiGenerateContent|generateAnswer|generateText|embedText)$/;
const OLLAMA_PATH = /^\/api\/(?:chat|generate|embed|embeddings|tags|show|ps|pull|version)$/;
const MAX_PATH_CHARACTERS = 200;

/** Whether it calls a method of Gemini's API that is spelled at the end of a path, where a model of that id could be read as well. */
export function isCustomMethod({ method, url }: { readonly method: string; readonly url: string }): boolean {
  const [path = ''] = url.split('?', 1);
  return method === 'POST' && (GEMINI_V1_METHOD.test(path) || (GEMINI_PATH.test(path) && /:\w+$/.test(path)));
}

/**
 * The response to a path that no route has and that is an endpoint of other products, so that no client takes it for a missing
 * model; undefined for any other path. It has the fields of every error of the gateway, and those that clients of that API expect as well.
 */
export function unsupportedEndpoint(url: string, requestId: string): UnsupportedEndpoint | undefined {
  const [path = ''] = url.replace(/\/{2,}/g, '/').split('?', 1);
  const isGemini = GEMINI_PATH.test(path) || GEMINI_V1_METHOD.test(path);
  if (!isGemini && !OPENAI_PATH.test(path) && !OLLAMA_PATH.test(path)) return undefined;
  const error = notFound(`This gateway does not serve ${path.slice(0, MAX_PATH_CHARACTERS)}.`, 'unsupported_endpoint');
  const body = error.toBody();
  if (isGemini) return { error, body: { error: { ...body.error, status: 'NOT_FOUND' } } };
  if (!ANTHROPIC_PATH.test(path)) return { error, body };
  return { error, body: { type: 'error', error: { ...body.error, type: 'not_found_error' }, request_id: requestId } };
}

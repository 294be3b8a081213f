import { createHmac, createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Body = Record<string, unknown>;

/** A request as a server received it. */
export interface JsonRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
}

interface Reply {
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

/** Answers a request, or says with a text why it is refused with 400. */
type Serve = (path: string, body: Body, headers: IncomingHttpHeaders, url: string) => Reply | string;

export interface JsonOperationServers {
  /** The base URL of a provider by its name here: openai, azure, mistral, google, vertex, bedrock, cohere, voyage, vllm, tei, ollama. */
  baseUrl(name: string): string;
  readonly requests: JsonRequest[];
  /** Requests that were in flight at once, at most. */
  readonly mostInFlight: number;
  stop(): Promise<void>;
}

export const AWS_KEYS = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'aws-secret-canary' };
export const SERVER_KEY = 'operations-key';

/** The vector of a text: its length and its first character, so that a test can find the text it belongs to. */
export function vectorOf(input: unknown): number[] {
  if (typeof input === 'string') return [input.length, input.charCodeAt(0) || 0];
  return Array.isArray(input) ? [input.length, Number(input[0])] : [0, 0];
}

/** The score of a document: longer is better. */
export function scoreOf(document: string): number {
  return 1 - 1 / (1 + document.length);
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** @returns the first member that the server does not know */
function unknownMember(body: Body, known: readonly string[]): string | undefined {
  return Object.keys(body).find((name) => !known.includes(name));
}

function openAi(known: readonly string[] | undefined, takesTokens: boolean): Serve {
  return (path, body) => {
    const stranger = known === undefined ? undefined : unknownMember(body, known);
    if (stranger !== undefined) return `extra field not permitted: ${stranger}`;
    if (path === '/moderations') return moderations(body);
    if (path === '/rerank') return jinaRerank(body);
    if (path !== '/embeddings') return `no such path: ${path}`;
    const { input } = body;
    const isOne = typeof input === 'string' || (Array.isArray(input) && typeof input[0] === 'number');
    const inputs: unknown[] = isOne ? [input] : (input as unknown[]);
    if (!takesTokens && inputs.some((each) => typeof each !== 'string')) return 'input must be text';
    if (inputs.length > 2_048) return 'too many inputs';
    const isBase64 = body['encoding_format'] === 'base64';
    const data = inputs.map((each, index) => {
      const vector = vectorOf(each);
      const embedding = isBase64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector;
      return { object: 'embedding', index, embedding };
    });
    const usage = { prompt_tokens: inputs.length * 2, total_tokens: inputs.length * 2 };
    return { body: { object: 'list', data, model: `${String(body['model'])}-ran`, usage } };
  };
}

function moderations({ input, model }: Body): Reply {
  const texts = Array.isArray(input) && typeof input[0] === 'string' ? textsIn(input) : [JSON.stringify(input)];
  const results = texts.map((text) => {
    const violence = text.includes('kill');
    return { flagged: violence, categories: { violence }, category_scores: { violence: violence ? 0.9 : 0.1 } };
  });
  return { body: { id: 'modr-fake', model, results } };
}

const mistral: Serve = (path, body, headers, url) => {
  if (path !== '/moderations') {
    const known = ['model', 'input', 'encoding_format', 'output_dimension', 'output_dtype'];
    return openAi(known, false)(path, body, headers, url);
  }
  const stranger = unknownMember(body, ['model', 'input']);
  if (stranger !== undefined) return `extra field not permitted: ${stranger}`;
  const results = textsIn(body['input']).map((text) => ({
    categories: { violence_and_threats: text.includes('kill'), pii: false },
    category_scores: { violence_and_threats: text.includes('kill') ? 0.9 : 0.1, pii: 0 },
  }));
  return { body: { id: 'mod-mistral', model: body['model'], results, usage: { prompt_tokens: 7, total_tokens: 7 } } };
};

function ranked(documents: readonly string[], top: unknown): { index: number; relevance_score: number }[] {
  const results = documents.map((document, index) => ({ index, relevance_score: scoreOf(document) }));
  results.sort((one, other) => other.relevance_score - one.relevance_score);
  return typeof top === 'number' ? results.slice(0, top) : results;
}

function jinaRerank({ documents, top_n: top, model }: Body): Reply | string {
  if (!Array.isArray(documents) || documents.some((each) => typeof each !== 'string'))
    return 'documents must be strings';
  return { body: { id: 'rerank-fake', model, usage: { total_tokens: 11 }, results: ranked(textsIn(documents), top) } };
}

const voyage: Serve = (path, body, headers, url) => {
  if (path !== '/rerank') {
    if (body['encoding_format'] === 'float') return 'encoding_format must be null or base64';
    return openAi(['model', 'input', 'encoding_format', 'input_type', 'output_dimension'], false)(
      path,
      body,
      headers,
      url,
    );
  }
  const stranger = unknownMember(body, ['model', 'query', 'documents', 'top_k', 'truncation']);
  if (stranger !== undefined) return `Argument '${stranger}' is not supported by our API.`;
  const data = ranked(textsIn(body['documents']), body['top_k']);
  return { body: { object: 'list', data, model: body['model'], usage: { total_tokens: 26 } } };
};

const cohere: Serve = (path, body) => {
  if (path === '/rerank') {
    const { documents, top_n: top } = body;
    if (!Array.isArray(documents) || documents.some((each) => typeof each !== 'string'))
      return 'documents must be strings';
    const meta = { api_version: { version: '2' }, billed_units: { search_units: 2 } };
    return { body: { id: 'rerank-cohere', results: ranked(textsIn(documents), top), meta } };
  }
  if (path !== '/embed') return `no such path: ${path}`;
  return cohereEmbed(body);
};

function cohereEmbed(body: Body): Reply | string {
  const known = ['model', 'texts', 'input_type', 'embedding_types', 'output_dimension', 'truncate', 'max_tokens'];
  const stranger = unknownMember(body, known);
  if (stranger !== undefined) return `unknown field: parameter '${stranger}' is not a valid field`;
  if (typeof body['input_type'] !== 'string') return 'input_type must be provided';
  const texts = textsIn(body['texts']);
  if (texts.length > 96) return 'too many texts: at most 96';
  const meta = { api_version: { version: '2' }, billed_units: { input_tokens: texts.length * 3 } };
  return { body: { id: 'embed-cohere', embeddings: { float: texts.map(vectorOf) }, texts, meta } };
}

const google: Serve = (path, body) => {
  const model = /^\/models\/([^/:]+):batchEmbedContents$/.exec(path)?.[1];
  if (model === undefined) return `no such path: ${path}`;
  const requests = body['requests'] as { model: string; content: { parts: { text: string }[] } }[];
  if (requests.length > 100) return 'at most 100 requests can be in one batch';
  if (requests.some((each) => each.model !== `models/${model}`)) return 'the models differ';
  return { body: { embeddings: requests.map(({ content }) => ({ values: vectorOf(content.parts[0]?.text) })) } };
};

const vertex: Serve = (path, body) => {
  if (!/^\/v1\/(?:projects\/p\/locations\/global\/)?publishers\/google\/models\/[^/:]+:predict$/.test(path)) {
    return `no such path: ${path}`;
  }
  const instances = body['instances'] as { content: string }[];
  if (instances.length > 250) return 'at most 250 instances';
  const predictions = instances.map(({ content }) => ({
    embeddings: { values: vectorOf(content), statistics: { token_count: 5, truncated: false } },
  }));
  return { body: { predictions } };
};

const bedrock: Serve = (path, body, headers, url) => {
  const model = decodeURIComponent(/^\/model\/([^/]+)\/invoke$/.exec(path)?.[1] ?? '');
  if (headers.authorization?.startsWith('Bearer ') !== true && !isSigned(url, body, headers))
    return 'the signature does not match';
  if (model.includes('rerank')) {
    const { documents, top_n: top } = body;
    return { body: { results: ranked(textsIn(documents), top) } };
  }
  if (model.includes('cohere')) {
    const reply = cohereEmbed(body);
    if (typeof reply === 'string') return reply;
    const { embeddings } = reply.body as { embeddings: unknown };
    return {
      body: { embeddings, response_type: 'embeddings_by_type' },
      headers: { 'x-amzn-bedrock-input-token-count': '9' },
    };
  }
  const known = model.includes('v1') ? ['inputText'] : ['inputText', 'dimensions', 'normalize'];
  const stranger = unknownMember(body, known);
  if (stranger !== undefined) return `Malformed input request: extraneous key [${stranger}] is not permitted`;
  if (typeof body['inputText'] !== 'string') return 'expected type: String';
  return { body: { embedding: vectorOf(body['inputText']), inputTextTokenCount: 4 } };
};

/** Signature Version 4, computed anew by Amazon's description of it. */
function isSigned(url: string, body: Body, headers: IncomingHttpHeaders): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=([^,]+), Signature=(\w{64})$/.exec(
      headers.authorization ?? '',
    );
  const date = headers['x-amz-date'];
  if (match === null || typeof date !== 'string') return false;
  const [, keyId, day = '', region = '', names = '', signature] = match;
  if (keyId !== AWS_KEYS.accessKeyId) return false;
  const [pathname = '', query = ''] = url.split('?');
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const path = pathname.split('/').map(encodeURIComponent).join('/');
  const canonical = ['POST', path, query, lines.join(''), names, hash(JSON.stringify(body))].join('\n');
  const scope = `${day}/${region}/bedrock/aws4_request`;
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const key = [day, region, 'bedrock', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${AWS_KEYS.secretAccessKey}`);
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n')).toString('hex') === signature;
}

const tei: Serve = (path, body) => {
  if (path !== '/rerank') return `no such path: ${path}`;
  const texts = textsIn(body['texts']);
  if (texts.length > 32) return `batch size ${texts.length} > maximum allowed batch size 32`;
  return { body: ranked(texts, undefined).map(({ index, relevance_score: score }) => ({ index, score })) };
};

const ollama: Serve = (path, body) => {
  if (path !== '/api/embed') return `no such path: ${path}`;
  const texts = textsIn(body['input']);
  return { body: { model: body['model'], embeddings: texts.map(vectorOf), prompt_eval_count: texts.length } };
};

const SERVERS: Readonly<Record<string, { readonly base: string; readonly serve: Serve; readonly key?: string }>> = {
  openai: { base: '/v1', serve: openAi(undefined, true) },
  azure: {
    base: '/openai',
    serve: (path, ...rest) => openAi(undefined, true)(path.replace(/^\/(?:v1|deployments\/[^/]+)/, ''), ...rest),
    key: 'api-key',
  },
  mistral: { base: '/v1', serve: mistral },
  google: { base: '/v1beta', serve: google, key: 'x-goog-api-key' },
  vertex: { base: '', serve: vertex, key: 'x-goog-api-key' },
  bedrock: { base: '', serve: bedrock },
  cohere: { base: '/v2', serve: cohere },
  voyage: { base: '/v1', serve: voyage },
  vllm: { base: '/v1', serve: openAi(undefined, false) },
  tei: { base: '', serve: tei },
  ollama: { base: '', serve: ollama },
};

/**
 * Servers for embeddings, reranking and moderations, each in a provider's own format below a prefix of its own. They refuse what
 * the real ones refuse. A model whose name has `status-<n>` answers with that status, one with `slow` after 200 ms.
 */
export async function startJsonOperationServers(): Promise<JsonOperationServers> {
  const requests: JsonRequest[] = [];
  let inFlight = 0;
  let mostInFlight = 0;
  const received = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    mostInFlight = Math.max(mostInFlight, (inFlight += 1));
    response.on('close', () => (inFlight -= 1));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const [, name = ''] = (request.url ?? '').split('/');
    const server = SERVERS[name];
    const body = (text === '' ? {} : JSON.parse(text)) as Body;
    const url = request.url ?? '';
    requests.push({ url, headers: request.headers, body });
    const send = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    };
    if (request.method === 'GET') {
      send(200, { object: 'list', data: [] });
      return;
    }
    const keyHeader = server?.key;
    const key =
      keyHeader === undefined ? request.headers.authorization?.replace('Bearer ', '') : request.headers[keyHeader];
    if (server === undefined) {
      send(404, {});
      return;
    }
    if (key !== SERVER_KEY && name !== 'bedrock') {
      send(401, { error: { message: 'wrong key' } });
      return;
    }
    const path = (url.slice(name.length + 1).split('?')[0] ?? '').slice(server.base.length);
    const wanted = `${decodeURIComponent(url)} ${String(body['model'])}`;
    const status = /status-(\d{3})/.exec(wanted)?.[1];
    if (wanted.includes('slow')) await sleep(200);
    if (status !== undefined) {
      send(Number(status), { error: { message: `the fake says ${status}` } });
      return;
    }
    const reply = server.serve(path, body, request.headers, url);
    if (typeof reply === 'string') send(400, { message: reply });
    else send(200, reply.body, reply.headers);
  };
  const server = createServer((request, response) => {
    void received(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    baseUrl: (name) => `${origin}/${name}${SERVERS[name]?.base ?? ''}`,
    requests,
    get mostInFlight() {
      return mostInFlight;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

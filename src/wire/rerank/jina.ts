import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { documentTexts, type RerankRequest } from '../../operations/rerank/rerank-request.js';
import { badScores, parseResponse, readResults, readUsage } from './read-results.js';
import type { DocumentGroup, RerankPart, RerankWire, WrittenRerank } from './rerank-wire.js';
import { documentsOf, topOf, unreadMembers } from './write-members.js';

/**
 * `POST /rerank` as Jina has it, and with it vLLM, SGLang, llama.cpp, Infinity, LocalAI, Together, Fireworks, ... Unknown members
 * pass through.
 */
export class JinaRerank implements RerankWire {
  readonly maxDocuments = 10_000;

  /** @param takesObjects whether documents may be objects, as with Jina itself and Together; others take texts alone */
  constructor(
    private readonly upstreamModel: string,
    private readonly takesObjects = false,
  ) {}

  dropped(): string[] {
    return [];
  }

  write(request: RerankRequest, group: DocumentGroup): WrittenRerank {
    const { rank_fields: rankFields, strict_params: _strict, metadata: _metadata, ...others } = request;
    const body: JsonObject = {};
    for (const [name, value] of Object.entries(others)) if (value !== null) body[name] = value;
    const passesObjects = this.takesObjects && rankFields == null;
    body['model'] = this.upstreamModel;
    body['documents'] = documentsOf(passesObjects ? request.documents : documentTexts(request), group);
    const top = topOf(request, group);
    if (top !== undefined) body['top_n'] = top;
    // The gateway has the documents.
    body['return_documents'] = false;
    return { path: '/rerank', body };
  }

  read(text: string, group: DocumentGroup): RerankPart {
    const body = parseResponse(text);
    if (!isObject(body)) throw badScores('something else');
    return {
      id: nonEmptyString(body['id']),
      model: nonEmptyString(body['model']),
      // Voyage has the list under another name, and so may servers that follow it.
      results: readResults(body['results'] ?? body['data'], group, 'relevance_score', 'score'),
      usage: readUsage(body),
    };
  }
}

const VOYAGE_READ = ['truncation'];

/** Voyage's `POST /v1/rerank`: `top_k`, and the list under `data`. */
export class VoyageRerank implements RerankWire {
  readonly maxDocuments = 1_000;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: RerankRequest): string[] {
    return unreadMembers(request, VOYAGE_READ);
  }

  write(request: RerankRequest, group: DocumentGroup): WrittenRerank {
    const body: JsonObject = {
      model: this.upstreamModel,
      query: request.query,
      documents: documentsOf(documentTexts(request), group),
    };
    const top = topOf(request, group);
    if (top !== undefined) body['top_k'] = top;
    for (const name of VOYAGE_READ) if (request[name] != null) body[name] = request[name];
    return { path: '/rerank', body };
  }

  read(text: string, group: DocumentGroup): RerankPart {
    const body = parseResponse(text);
    if (!isObject(body)) throw badScores('something else');
    return {
      id: undefined,
      model: nonEmptyString(body['model']),
      results: readResults(body['data'], group, 'relevance_score'),
      usage: readUsage(body),
    };
  }
}

import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { documentTexts, type RerankRequest } from '../../operations/rerank/rerank-request.js';
import { badScores, parseResponse, readResults, readUsage } from './read-results.js';
import type { DocumentGroup, RerankPart, RerankWire, WrittenRerank } from './rerank-wire.js';
import { documentsOf, topOf, unreadMembers } from './write-members.js';

const READ_V2 = ['max_tokens_per_doc', 'priority'];
const MAX_DOCUMENTS = 10_000;

/** Cohere's `POST /v2/rerank`, whose documents are texts. */
export class CohereRerank implements RerankWire {
  readonly maxDocuments = MAX_DOCUMENTS;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: RerankRequest): string[] {
    return unreadMembers(request, READ_V2);
  }

  write(request: RerankRequest, group: DocumentGroup): WrittenRerank {
    const body: JsonObject = {
      model: this.upstreamModel,
      query: request.query,
      documents: documentsOf(documentTexts(request), group),
    };
    const top = topOf(request, group);
    if (top !== undefined) body['top_n'] = top;
    for (const name of READ_V2) if (request[name] != null) body[name] = request[name];
    return { path: '/rerank', body };
  }

  read(text: string, group: DocumentGroup): RerankPart {
    return readCohere(text, group);
  }
}

/** Cohere's and Amazon's models on Bedrock, `POST /model/{model}/invoke`. */
export class BedrockRerank implements RerankWire {
  readonly maxDocuments = 1_000;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: RerankRequest): string[] {
    return unreadMembers(request, this.isCohere ? ['max_tokens_per_doc'] : []);
  }

  write(request: RerankRequest, group: DocumentGroup): WrittenRerank {
    const body: JsonObject = { query: request.query, documents: documentsOf(documentTexts(request), group) };
    // Without it, the models give one result for each document anyway.
    const top = topOf(request, group);
    if (top !== undefined) body['top_n'] = top;
    if (this.isCohere) {
      body['api_version'] = 2;
      if (request['max_tokens_per_doc'] != null) body['max_tokens_per_doc'] = request['max_tokens_per_doc'];
    }
    return { path: `/model/${encodeURIComponent(this.upstreamModel)}/invoke`, body };
  }

  read(text: string, group: DocumentGroup): RerankPart {
    return readCohere(text, group);
  }

  private get isCohere(): boolean {
    return this.upstreamModel.includes('cohere.');
  }
}

function readCohere(text: string, group: DocumentGroup): RerankPart {
  const body = parseResponse(text);
  if (!isObject(body)) throw badScores('something else');
  return {
    id: nonEmptyString(body['id']),
    model: nonEmptyString(body['model']),
    results: readResults(body['results'], group, 'relevance_score'),
    usage: readUsage(body),
  };
}

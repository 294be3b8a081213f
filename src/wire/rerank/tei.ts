import type { JsonObject } from '../../runtime/json-value.js';
import { documentTexts, type RerankRequest } from '../../operations/rerank/rerank-request.js';
import { parseResponse, readResults } from './read-results.js';
import type { DocumentGroup, RerankPart, RerankWire, WrittenRerank } from './rerank-wire.js';
import { documentsOf, unreadMembers } from './write-members.js';

const READ = ['raw_scores', 'truncate', 'truncation_direction'];

/** Hugging Face's Text Embeddings Inference, `POST /rerank`: `texts`, and a bare list of scores for all of them. */
export class TeiRerank implements RerankWire {
  /** The default maximum of a server. It scores each text separately, so that several calls give the same scores. */
  readonly maxDocuments = 32;

  dropped(request: RerankRequest): string[] {
    return unreadMembers(request, READ);
  }

  write(request: RerankRequest, group: DocumentGroup): WrittenRerank {
    const body: JsonObject = { query: request.query, texts: documentsOf(documentTexts(request), group) };
    for (const name of READ) if (request[name] != null) body[name] = request[name];
    return { path: '/rerank', body };
  }

  read(text: string, group: DocumentGroup): RerankPart {
    return {
      id: undefined,
      model: undefined,
      results: readResults(parseResponse(text), group, 'score'),
      usage: { tokens: undefined, searchUnits: undefined },
    };
  }
}

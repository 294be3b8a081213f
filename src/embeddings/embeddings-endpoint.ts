import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import { Engine } from '../engine/engine.js';
import { JsonEndpoint, runAndWrite, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { countInputTokens, EMBEDDINGS } from '../operations/embeddings/embedding-operation.js';
import type { EmbeddingRequest } from '../operations/embeddings/embedding-request.js';
import type { JsonObject } from '../runtime/json-value.js';
import { writeEmbeddings } from '../wire/embeddings/write-embeddings.js';
import { parseEmbeddingRequest } from './embedding-request.js';

/** `POST /v1/embeddings`. */
@Injectable()
export class EmbeddingsEndpoint extends JsonEndpoint<EmbeddingRequest> {
  readonly path = '/v1/embeddings';
  readonly operation = EMBEDDINGS.name;
  readonly task = { defaults: {}, ofText: (input: string): JsonObject => ({ input }) };

  constructor(
    private readonly engine: Engine,
    endpoints: JsonEndpoints,
  ) {
    super();
    endpoints.add(this);
  }

  parse(body: unknown): EmbeddingRequest {
    return parseEmbeddingRequest(body);
  }

  override sized(request: EmbeddingRequest): SizedRequest {
    return { operation: EMBEDDINGS, request };
  }

  run(request: EmbeddingRequest, context: CallContext): Promise<WrittenResponse> {
    return runAndWrite(this.engine, EMBEDDINGS, request, context, (result) =>
      writeEmbeddings(result, () => countInputTokens(request)),
    );
  }
}

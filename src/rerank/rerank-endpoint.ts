import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import { Engine } from '../engine/engine.js';
import { JsonEndpoint, runAndWrite, type TaskForm, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { countRerankTokens, RERANK } from '../operations/rerank/rerank-operation.js';
import type { RerankRequest } from '../operations/rerank/rerank-request.js';
import { randomId } from '../runtime/random-id.js';
import { writeRerank, type RerankApiVersion } from '../wire/rerank/write-rerank.js';
import { parseRerankRequest } from './rerank-request.js';

/** The parameters of its constructor are those of its classes. */
@Injectable()
abstract class AnyRerankEndpoint extends JsonEndpoint<RerankRequest> {
  readonly operation = RERANK.name;
  readonly task: TaskForm = { defaults: {} };
  protected abstract readonly apiVersion: RerankApiVersion;

  constructor(
    private readonly engine: Engine,
    endpoints: JsonEndpoints,
  ) {
    super();
    endpoints.add(this);
  }

  parse(body: unknown): RerankRequest {
    return parseRerankRequest(body);
  }

  override sized(request: RerankRequest): SizedRequest {
    return { operation: RERANK, request };
  }

  run(request: RerankRequest, context: CallContext): Promise<WrittenResponse> {
    const { apiVersion } = this;
    return runAndWrite(this.engine, RERANK, request, context, (result) =>
      writeRerank(result, {
        request,
        apiVersion,
        newId: () => randomId('rerank-'),
        countTokens: () => countRerankTokens(request),
      }),
    );
  }
}

/** `POST /v1/rerank`. */
@Injectable()
export class RerankEndpoint extends AnyRerankEndpoint {
  readonly path = '/v1/rerank';
  protected readonly apiVersion = '1';
}

/** `POST /v2/rerank`, the path of version 2 of Cohere. */
@Injectable()
export class RerankV2Endpoint extends AnyRerankEndpoint {
  readonly path = '/v2/rerank';
  override readonly dialect = 'cohere-v2';
  protected readonly apiVersion = '2';
}

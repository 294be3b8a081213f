import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import { Engine } from '../engine/engine.js';
import { JsonEndpoint, runAndWrite, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { MODERATIONS } from '../operations/moderations/moderation-operation.js';
import type { ModerationRequest } from '../operations/moderations/moderation-request.js';
import { servedDefault } from '../routing/default-model.js';
import { Routing } from '../routing/routing.service.js';
import type { JsonObject } from '../runtime/json-value.js';
import { randomId } from '../runtime/random-id.js';
import { writeModeration } from '../wire/moderations/write-moderation.js';
import { parseModerationRequest } from './moderation-request.js';

/** The model that OpenAI uses if a request names none. */
const DEFAULT_MODEL = 'omni-moderation-latest';

/** `POST /v1/moderations`. */
@Injectable()
export class ModerationsEndpoint extends JsonEndpoint<ModerationRequest> {
  readonly path = '/v1/moderations';
  readonly operation = MODERATIONS.name;
  readonly task = { defaults: {}, ofText: (input: string): JsonObject => ({ input }) };

  constructor(
    private readonly engine: Engine,
    private readonly routing: Routing,
    endpoints: JsonEndpoints,
  ) {
    super();
    endpoints.add(this);
  }

  parse(body: unknown): ModerationRequest {
    return parseModerationRequest(body, () => servedDefault(this.routing.current, [DEFAULT_MODEL]) ?? DEFAULT_MODEL);
  }

  override sized(request: ModerationRequest): SizedRequest {
    return { operation: MODERATIONS, request };
  }

  run(request: ModerationRequest, context: CallContext): Promise<WrittenResponse> {
    return runAndWrite(this.engine, MODERATIONS, request, context, (result) =>
      writeModeration(result, () => randomId('modr-')),
    );
  }
}

import { nearestName } from '../config/nearest-name.js';
import { notFound, type GatewayError } from '../errors/gateway-error.js';

/**
 * 404 `model_not_found`, the same for an unknown model and for one that the key may not call.
 *
 * @param ids the configured models, of which the closest is suggested; omitted where that could reveal others' models
 */
export function unknownModel(modelId: string, ids: Iterable<string> = []): GatewayError {
  const near = nearestName(modelId, ids);
  const hint = near === undefined ? 'See GET /v1/models for those that exist.' : `Did you mean \`${near}\`?`;
  return notFound(
    `The model \`${modelId.slice(0, 256)}\` does not exist or you do not have access to it. ${hint}`,
    'model_not_found',
    'model',
  );
}

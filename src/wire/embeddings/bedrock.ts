import { invalidRequest } from '../../errors/gateway-error.js';
import { BedrockCohereEmbeddings } from './cohere.js';
import type { EmbeddingWire } from './embedding-wire.js';
import { TitanEmbeddings } from './titan.js';

/**
 * The wire format of a model on Bedrock, where each maker has one of its own. The id may have a region in front, as inference
 * profiles do.
 *
 * @throws GatewayError 400 for models whose format is not known
 */
export function bedrockEmbeddings(upstreamModel: string): EmbeddingWire {
  if (upstreamModel.includes('cohere.embed-')) return new BedrockCohereEmbeddings(upstreamModel);
  if (upstreamModel.includes('amazon.titan-embed-')) return new TitanEmbeddings(upstreamModel);
  throw invalidRequest(
    'This model cannot create embeddings. On Bedrock the models amazon.titan-embed-... and cohere.embed-... can.',
    'model',
    'unsupported_value',
  );
}

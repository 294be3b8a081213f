import type { JsonObject } from '../../runtime/json-value.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart } from '../../operations/embeddings/embedding-result.js';

/** One upstream call, without transport and credentials. */
export interface WrittenCall {
  /** Path that is appended to the provider's base URL, with a leading slash. */
  readonly path: string;
  readonly body: JsonObject;
}

/** The successful response to one upstream call. */
export interface EmbeddingResponse {
  readonly text: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Embeddings in the wire format of a provider, as its client. Pure: no I/O. */
export interface EmbeddingWire {
  /** Most inputs of one upstream call. */
  readonly maxInputs: number;
  /** Most tokens of all inputs of one upstream call, where the provider has such a limit. */
  readonly maxTokens?: number;
  /** Members of the request that the wire format has no place for, by the client's names. */
  dropped(request: EmbeddingRequest): string[];
  /**
   * The call for some inputs of a request.
   *
   * @param inputs at most `maxInputs`
   * @param first index of the first of them in the request
   * @throws GatewayError 400 that names the member which the provider cannot take
   */
  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall;
  /**
   * @param inputs those that the call was written for
   * @throws GatewayError `upstream_error` for anything but a vector for each input
   */
  read(response: EmbeddingResponse, request: EmbeddingRequest, inputs: readonly EmbeddingInput[]): EmbeddingPart;
}

import type { ListedModel } from '../wire/openai-chat/map-model-list.js';
import type { BatchApi } from './batch-api/batch-api.js';
import { Provider, type OperationPorts, type ProviderCall } from './provider.js';

/** Further operations of a provider, with connections of their own. */
export interface ProviderPart {
  readonly ports: OperationPorts;
  close(): Promise<void>;
}

/** One provider whose operations are served by several clients. */
export class CombinedProvider extends Provider {
  readonly name: string;
  readonly operations: OperationPorts;

  constructor(
    private readonly chat: Provider,
    private readonly parts: readonly ProviderPart[],
    private readonly batches?: BatchApi,
  ) {
    super();
    this.name = chat.name;
    this.operations = Object.assign({}, chat.operations, ...parts.map(({ ports }) => ports)) as OperationPorts;
  }

  override get batchApi(): BatchApi | undefined {
    return this.batches;
  }

  override listModels(signal: AbortSignal): Promise<readonly ListedModel[]> {
    return this.chat.listModels(signal);
  }

  override countTokens(call: ProviderCall): Promise<number | undefined> {
    return this.chat.countTokens(call);
  }

  override async close(): Promise<void> {
    await Promise.all([this.chat.close(), ...this.parts.map((part) => part.close()), this.batches?.close()]);
  }
}

import type { ProviderConfig } from '../../config/gateway-config.js';
import { VERSION } from '../../runtime/version.js';

/** Set by undici or by the connection. From the configuration they would break the request. */
export const CONNECTION_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers of requests to one provider, as undici's flat list of names and values. The operator's headers take precedence
 * over the gateway's, and both over the client's, so that no client can use the operator's key for another organisation.
 */
export class RequestHeaders {
  private readonly names = new Set<string>(['x-request-id']);
  private readonly json: readonly string[];
  private readonly eventStream: readonly string[];

  constructor({ apiKey, headers }: Pick<ProviderConfig, 'apiKey' | 'headers'>) {
    const fixed = new Map<string, string>([
      ['content-type', 'application/json'],
      ['accept', 'application/json'],
      // Compressing small events costs more than it saves.
      ['accept-encoding', 'identity'],
      ['user-agent', `llm-gateway/${VERSION}`],
    ]);
    if (apiKey !== undefined) fixed.set('authorization', `Bearer ${apiKey}`);
    for (const [name, value] of Object.entries(headers)) {
      if (!CONNECTION_HEADERS.has(name.toLowerCase())) fixed.set(name.toLowerCase(), value);
    }
    for (const name of fixed.keys()) this.names.add(name);
    this.json = [...fixed].flat();
    if (headers['accept'] === undefined) fixed.set('accept', 'text/event-stream, application/json');
    this.eventStream = [...fixed].flat();
  }

  /** @param allowed the client's headers that the allow-list lets through, names in lower case */
  build(stream: boolean, requestId: string, allowed: Readonly<Record<string, string>>): string[] {
    const headers = [...(stream ? this.eventStream : this.json), 'x-request-id', requestId];
    for (const name in allowed) {
      const value = allowed[name];
      if (value !== undefined && !this.names.has(name)) headers.push(name, value);
    }
    return headers;
  }
}

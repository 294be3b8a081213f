import type { Principal, Scope } from '../auth/principal.js';
import { GatewayError } from '../errors/gateway-error.js';
import { readRoutingOverrides } from './routing-overrides.js';

function withScopes(...scopes: Scope[]): Principal {
  return { keyId: 'key_1', name: 'one', scopes: new Set(scopes), allowedModels: null, groupId: null, accounts: [] };
}

const TRUSTED = withScopes('inference', 'routing');

describe('readRoutingOverrides', () => {
  it('is undefined without the headers, for any key', () => {
    expect(readRoutingOverrides({}, withScopes('inference'))).toBeUndefined();
  });

  it('reads models and a duration', () => {
    const headers = { 'x-gateway-fallbacks': 'fast, openai/gpt-5-mini', 'x-gateway-timeout': '1.5s' };
    expect(readRoutingOverrides(headers, TRUSTED)).toEqual({
      fallbacks: ['fast', 'openai/gpt-5-mini'],
      timeoutMs: 1_500,
    });
    expect(readRoutingOverrides({ 'x-gateway-fallbacks': 'none' }, TRUSTED)?.fallbacks).toEqual([]);
    expect(readRoutingOverrides({ 'x-gateway-fallbacks': '' }, TRUSTED)?.fallbacks).toEqual([]);
  });

  it.each([
    [{ 'x-gateway-timeout': '20' }, 'x-gateway-timeout'],
    [{ 'x-gateway-timeout': '0s' }, 'x-gateway-timeout'],
    [{ 'x-gateway-timeout': '2d' }, 'x-gateway-timeout'],
    [{ 'x-gateway-fallbacks': 'a,,b' }, 'x-gateway-fallbacks'],
    [{ 'x-gateway-fallbacks': 'a,'.repeat(11) }, 'x-gateway-fallbacks'],
  ])('refuses %j with the header’s name', (headers, param) => {
    expect(() => readRoutingOverrides(headers, TRUSTED)).toThrow(
      expect.objectContaining({ status: 400, param }) as Error,
    );
  });

  it('refuses keys that are not trusted, rather than going another way than they asked', () => {
    const ask = (): unknown => readRoutingOverrides({ 'x-gateway-timeout': '1s' }, withScopes('inference', 'admin'));
    expect(ask).toThrow(GatewayError);
    expect(ask).toThrow(/scope 'routing'/);
  });
});

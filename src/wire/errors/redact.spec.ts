import type { CloudSettings } from '../../config/gateway-config.js';
import { redactor } from './redact.js';

describe('redactor', () => {
  const redact = redactor({
    apiKey: 'my+secret(key)',
    baseUrl: 'https://llm.internal.example:8443/v1',
    headers: { 'api-key': 'azure-secret-value', 'x-team': 'a' },
  });

  it.each([
    ['key my+secret(key) is bad', 'key [redacted] is bad'],
    ['see https://llm.internal.example:8443/v1/models', 'see [redacted]/models'],
    ['no route to LLM.internal.example', 'no route to [redacted]'],
    ['header azure-secret-value', 'header [redacted]'],
    ['Incorrect API key provided: sk-proj-abc*****wxyz.', 'Incorrect API key provided: [redacted]'],
    ['gsk_abcdefghijkl', '[redacted]'],
    ['Bearer abcdefghijkl', '[redacted]'],
    ['a team task: risk-free', 'a team task: risk-free'],
  ])('%p becomes %p', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('leaves words alone that happen to be a host name', () => {
    const local = redactor({ apiKey: undefined, baseUrl: 'http://vllm:8000/v1', headers: {} });
    expect(local('vllm says no at vllm:8000')).toBe('vllm says no at [redacted]');
  });

  it('removes what the logins of clouds hold', () => {
    const environment = { configFile: '', credentialsFile: '', stsEndpoint: '' };
    const keys = { accessKeyId: 'AKIA1', secretAccessKey: 'aws/secret', sessionToken: 'aws+token' };
    const container = { url: 'http://127.0.0.1/', token: 'container-token' };
    const clouds: [CloudSettings, string][] = [
      [{ accessKeyId: 'AKIA2', secretAccessKey: 's/2' }, 'AKIA2 s/2'],
      [
        { aws: { sources: [], environment: { ...environment, keys, container } } },
        'AKIA1 aws/secret aws+token container-token',
      ],
      [
        {
          entra: {
            kind: 'client-secret',
            scope: '',
            tenantId: 't',
            clientId: 'c',
            authority: '',
            clientSecret: 'a~secret',
          },
        },
        'a~secret',
      ],
      [
        { entra: { kind: 'identity-endpoint', scope: '', endpoint: '', identityHeader: 'header-value' } },
        'header-value',
      ],
    ];
    for (const [cloud, text] of clouds) {
      const clean = redactor({ apiKey: undefined, baseUrl: 'https://a.example/', headers: {}, cloud });
      expect(clean(text)).toBe(text.replace(/\S+/g, '[redacted]'));
    }
  });
});

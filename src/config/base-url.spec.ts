import { baseUrlFault } from './base-url.js';

it.each([
  ['http://127.0.0.1:1/v1', true],
  ['https://h', true],
  ['ftp://h', false],
  ['h', false],
  ['http://u:p@h', false],
  ['http://h?x=1', false],
])('judges the base URL %s', (url, good) => {
  expect(baseUrlFault(url) === undefined).toBe(good);
});

it.each([
  ['https://api.openai.com/v1/chat/completions', 'https://api.openai.com/v1'],
  ['http://127.0.0.1:8000/v1/completions/', 'http://127.0.0.1:8000/v1'],
  ['https://api.anthropic.com/v1/messages', 'https://api.anthropic.com/v1'],
  ['https://host/openai/v1/responses', 'https://host/openai/v1'],
  ['https://api.cohere.com/v2/chat', 'https://api.cohere.com/v2'],
  ['https://host/v1/embeddings', 'https://host/v1'],
  ['https://host/v1/models', 'https://host/v1'],
  ['https://host/v1beta/models/gemini-3:generateContent', 'https://host/v1beta'],
  [
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1/converse-stream',
    'https://bedrock-runtime.eu-west-1.amazonaws.com',
  ],
])('says what to write instead of %s', (url, base) => {
  expect(baseUrlFault(url)).toMatch(/ends in the route/);
  expect(baseUrlFault(url)?.endsWith(`Write ${base}`)).toBe(true);
  expect(baseUrlFault(base)).toBeUndefined();
});

it.each([['https://resource.services.ai.azure.com/models'], ['https://host/chat'], ['https://host/messages-proxy/v1']])(
  'takes %s for a base',
  (url) => {
    expect(baseUrlFault(url)).toBeUndefined();
  },
);

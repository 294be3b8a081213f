import { GatewayError } from '../../errors/gateway-error.js';
import { mapModelList } from './map-model-list.js';

describe('mapModelList', () => {
  it.each([
    [
      'OpenAI',
      { object: 'list', data: [{ id: 'gpt-5-mini', object: 'model', created: 1_700_000_000, owned_by: 'openai' }] },
      [{ id: 'gpt-5-mini', object: 'model', created: 1_700_000_000, owned_by: 'openai' }],
    ],
    [
      'Ollama',
      { models: [{ name: 'llama3:8b', model: 'llama3:8b', size: 4 }] },
      [{ id: 'llama3:8b', name: 'llama3:8b', model: 'llama3:8b', size: 4 }],
    ],
    [
      'llama.cpp',
      { models: [{ name: 'a' }], data: [{ id: 'a', meta: { n_ctx_train: 8192 } }] },
      [{ id: 'a', meta: { n_ctx_train: 8192 } }],
    ],
    [
      'Together',
      [{ id: 'meta/llama', created: 0, context_length: 8192 }],
      [{ id: 'meta/llama', context_length: 8192 }],
    ],
    ['names alone', { data: ['a', 'b', 'a'] }, [{ id: 'a' }, { id: 'b' }]],
    ['entries without a name', { data: [{}, null, 3, { id: '' }, { id: 'a' }] }, [{ id: 'a' }]],
    ['an empty data beside models', { data: [], models: [{ name: 'a' }] }, [{ id: 'a', name: 'a' }]],
    ['an empty list', { data: [] }, []],
    ['null', { object: 'list', data: null }, []],
  ])('reads %s', (_name, body, expected) => {
    expect(mapModelList(body)).toEqual(expected);
  });

  it.each([[{}], ['text'], [null]])('finds no list in %j', (body) => {
    expect(() => mapModelList(body)).toThrow(GatewayError);
  });
});

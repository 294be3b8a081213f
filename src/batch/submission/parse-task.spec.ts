import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import type { JsonEndpoint, TaskForm } from '../../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { readTask } from './parse-task.js';

/** An endpoint that refuses what has the member `bad`, and changes what it is given, as endpoints may. */
function endpointOf(path: string, task: TaskForm): JsonEndpoint {
  const parse = (body: unknown): unknown => {
    const fields = body as Record<string, unknown>;
    if (fields['bad'] === 'path') throw invalidRequest("'input[0].x' is bad, says 'x'.", 'input[0].x');
    if (fields['bad'] === 'none') throw invalidRequest('All is bad.', null);
    if (fields['bad'] === 'dotted') throw invalidRequest('input.0.x: bad', 'input.0.x');
    fields['model'] = 'changed';
    return fields;
  };
  return { path, operation: 'chat', dialect: path, task, parse } as unknown as JsonEndpoint;
}

describe('a task', () => {
  const endpoints = new JsonEndpoints();
  const chat = endpointOf('/v1/chat/completions', { defaults: {}, ofText: (content) => ({ messages: [content] }) });
  const responses = endpointOf('/v1/responses', { defaults: {}, ofText: (input) => ({ input }), hasPrompt: true });
  const rerank = endpointOf('/v1/rerank', { defaults: {} });
  const messages = endpointOf('/v1/messages', { defaults: {}, ofText: (content) => ({ messages: [content] }) });
  for (const each of [chat, responses, rerank, messages]) endpoints.add(each);
  const read = (task: unknown, endpoint = chat): ReturnType<typeof readTask> =>
    readTask(task, 3, { model: 'm', endpoint }, endpoints);
  const faultOf = (task: unknown, endpoint = chat): Pick<GatewayError, 'param' | 'message'> | undefined => {
    try {
      read(task, endpoint);
      return undefined;
    } catch (error) {
      const { param, message } = error as GatewayError;
      return { param, message };
    }
  };

  it.each<[task: unknown, job: JsonEndpoint, endpoint: JsonEndpoint, request: object, modelPath: string]>([
    ['a', chat, chat, { messages: ['a'] }, 'tasks[3].model'],
    ['a', responses, responses, { input: 'a' }, 'tasks[3].model'],
    [{ prompt: 'a', n: 1 }, chat, chat, { messages: ['a'], n: 1 }, 'tasks[3].model'],
    [{ prompt: 'a' }, responses, responses, { input: 'a' }, 'tasks[3].model'],
    [{ prompt: { id: 'p' } }, responses, responses, { prompt: { id: 'p' } }, 'tasks[3].model'],
    [{ prompt: 'a' }, rerank, rerank, { prompt: 'a' }, 'tasks[3].model'],
    [{ prompt: null, q: 1 }, rerank, rerank, { q: 1 }, 'tasks[3].model'],
    [{ endpoint: 'responses', input: 'a' }, chat, responses, { input: 'a' }, 'tasks[3].model'],
    [{ endpoint: null, q: 1 }, rerank, rerank, { q: 1 }, 'tasks[3].model'],
    [{ body: { q: 1 } }, rerank, rerank, { q: 1 }, 'tasks[3].body.model'],
    [{ url: '/v1/rerank', method: 'post', body: { q: 1 } }, chat, rerank, { q: 1 }, 'tasks[3].body.model'],
    [{ endpoint: '/v1/rerank', body: { q: 1 } }, chat, rerank, { q: 1 }, 'tasks[3].body.model'],
    [{ params: { q: 1 } }, responses, messages, { q: 1 }, 'tasks[3].params.model'],
    [{ params: { q: 1 }, endpoint: '/v1/messages' }, chat, messages, { q: 1 }, 'tasks[3].params.model'],
  ])('%j of a job of one endpoint is read', (task, job, endpoint, request, modelPath) => {
    const line = read(task, job);
    expect(line.endpoint).toBe(endpoint);
    expect(line).toMatchObject({ customId: 'task-3', model: undefined, modelPath });
    // As it came: what an endpoint changes is not stored.
    expect(line.request).toEqual(request);
  });

  it('has its own model and name', () => {
    expect(read({ custom_id: 'mine', model: 'other', prompt: 'x' })).toMatchObject({
      customId: 'mine',
      model: 'other',
    });
  });

  it.each<[task: unknown, param: string, job?: JsonEndpoint]>([
    ['', 'tasks[3]'],
    ['a', 'tasks[3]', rerank],
    [7, 'tasks[3]'],
    [null, 'tasks[3]'],
    [['a'], 'tasks[3]'],
    [{ prompt: 7 }, 'tasks[3].prompt'],
    [{ prompt: '' }, 'tasks[3].prompt'],
    [{ prompt: 'a', messages: [] }, 'tasks[3].prompt'],
    [{ prompt: 'a', input: 'b' }, 'tasks[3].prompt', responses],
    [{ stream: true, prompt: 'x' }, 'tasks[3].stream'],
    [{ params: { stream: true } }, 'tasks[3].params.stream'],
    [{ params: 'x' }, 'tasks[3].params'],
    [{ params: {}, endpoint: '/v1/rerank' }, 'tasks[3].endpoint'],
    [{ body: null }, 'tasks[3].body'],
    [{ body: [] }, 'tasks[3].body'],
    [{ url: '/v1/rerank' }, 'tasks[3].body'],
    [{ method: 'POST' }, 'tasks[3].body'],
    [{ method: 'PUT', body: {} }, 'tasks[3].method'],
    [{ method: 7, body: {} }, 'tasks[3].method'],
    [{ url: '/v1/other', body: {} }, 'tasks[3].url'],
    [{ url: 7, body: {} }, 'tasks[3].url'],
    [{ endpoint: {}, prompt: 'x' }, 'tasks[3].endpoint'],
    [{ endpoint: '/v1/constructor', prompt: 'x' }, 'tasks[3].endpoint'],
    [{ custom_id: 7, prompt: 'x' }, 'tasks[3].custom_id'],
    [{ custom_id: '', prompt: 'x' }, 'tasks[3].custom_id'],
    [{ custom_id: 'a\u0000', prompt: 'x' }, 'tasks[3].custom_id'],
    [{ custom_id: 'x'.repeat(513), prompt: 'x' }, 'tasks[3].custom_id'],
    [{ prompt: 'x', bad: 'path' }, 'tasks[3].input[0].x'],
    [{ body: { bad: 'path' } }, 'tasks[3].body.input[0].x'],
    [{ params: { bad: 'none' } }, 'tasks[3].params'],
    [{ body: { bad: 'dotted' } }, 'tasks[3].body.input.0.x'],
  ])('%j is refused at %s', (task, param, ...[job]) => {
    const fault = faultOf(task, job);
    expect(fault?.param).toBe(param);
    expect(fault?.message.replace(/^'tasks\[3\]' has both prompt/, `'${param}`)).toContain(`'${param}`);
  });

  it('is refused with the endpoints that there are', () => {
    expect(faultOf({ endpoint: `/v1/${'x'.repeat(500)}`, prompt: 'x' })?.message).toMatch(
      /'\/v1\/x{76}': one of \/v1\/chat\/completions, \/v1\/messages, \/v1\/rerank, \/v1\/responses\.$/,
    );
  });
});

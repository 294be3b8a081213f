import { randomBytes } from 'node:crypto';
import type { RequestLogListDto } from '../../src/request-log/request-log.dto.js';
import type { GatewayClient, Method, RequestBody } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, NO_REAL_PROVIDER } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  example?: unknown;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
}
interface Media {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean; example?: unknown; schema: Schema }[];
  requestBody?: { content: Record<string, Media> };
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const CONFIGURATION = '/v1/admin/configuration/file';

/** Everything that Swagger UI fills in by itself is sent as it stands. Ids in paths are those of things that there are. */
describe('the examples of the OpenAPI document', () => {
  let gateway: RunningGateway;
  let document: OpenApi;
  let ordinary: GatewayClient;

  beforeAll(async () => {
    gateway = await startGateway({
      config: {
        sandbox: true,
        config: { editable: true },
        models: [model('limited', 'sandbox/reverse', { limits: { rpm: 1 } })],
        // Nothing is there: that the results cannot be written changes no response.
        batch: { output_buckets: [{ bucket: 'batch-results', prefix: 'results/', endpoint: 'http://127.0.0.1:9' }] },
      },
      env: { ...NO_REAL_PROVIDER, GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('hex') },
    });
    ordinary = await gateway.newClient({ request_log: { days: 1 } });
    document = await gateway.client('').read<OpenApi>('/docs-json');
  });
  afterAll(() => gateway.stop());

  const configuration = (): Promise<{ text: string; version: string }> => gateway.admin.read(CONFIGURATION);
  let edits = 0;
  /** Of the file that there is, as no example can be. */
  async function editOfConfiguration(): Promise<{ text: string; version: string }> {
    const { text, version } = await configuration();
    return { text: `${text}# edit ${String((edits += 1))}\n`, version };
  }

  /** The id of an edit that another one has followed, so that it can be restored. */
  async function editedBefore(): Promise<string> {
    const { id } = await gateway.admin.sendOk<{ id: string }>('PUT', CONFIGURATION, await editOfConfiguration());
    await gateway.admin.sendOk('PUT', CONFIGURATION, await editOfConfiguration());
    return id;
  }

  /** A value for a parameter in a path; ids are of something new, because the operation may end it. */
  async function pathValue(
    path: string,
    { name, example, schema }: { name: string; example?: unknown; schema: Schema },
  ) {
    const budget = { usd: 10, period: 'month' };
    if (path.includes('/keys/')) return (await gateway.admin.createKey({ budget })).id;
    if (path.includes('/configuration/changes/')) return editedBefore();
    if (path.includes('/groups/')) return (await gateway.admin.createGroup({ budget })).id;
    if (name === 'job_id') {
      if (path.endsWith('/retry')) {
        const failed = await ordinary.submitBatch('sandbox/embed', ['x']);
        await ordinary.endedBatch(failed);
        return failed;
      }
      const isUnfinished = /\/admin\/|\/(?:pause|resume)$/.test(path);
      const tasks = Array.from({ length: isUnfinished ? 5 : 1 }, () => 'x');
      return ordinary.submitBatch(isUnfinished ? 'limited' : 'sandbox/echo', tasks);
    }
    if (name === 'file_id') {
      const form = new FormData();
      form.append('purpose', 'batch');
      form.append('file', new Blob(['x']), 'x.jsonl');
      return (await ordinary.make<{ id: string }>('/v1/files', form)).id;
    }
    if (name === 'upload_id') {
      const upload = { filename: 'x.bin', purpose: 'user_data', bytes: 4, mime_type: 'text/plain' };
      return (await ordinary.make<{ id: string }>('/v1/uploads', upload)).id;
    }
    if (name === 'batch_id') return (await ordinary.make<{ id: string }>('/v1/batches', await fileBatchBody())).id;
    if (name === 'message_batch_id') {
      const params = { model: 'sandbox/echo', max_tokens: 5, messages: [{ role: 'user', content: 'x' }] };
      const body = { requests: [{ custom_id: 'a', params }] };
      const { id } = await ordinary.make<{ id: string }>('/v1/messages/batches', body);
      await until(async () => {
        const batch = await ordinary.read<{ processing_status: string }>(`/v1/messages/batches/${id}`);
        return batch.processing_status === 'ended';
      });
      return id;
    }
    if (path.includes('/request-log/')) return newLogEntry();
    if (path.includes('/sessions/')) {
      return (await gateway.client('').make<{ id: string }>('/v1/session', { key: ordinary.key })).id;
    }
    if (name === 'response_id') {
      const { text } = await ordinary.send('POST', '/v1/responses', { model: 'sandbox/echo', input: 'x' });
      return (JSON.parse(text) as { id: string }).id;
    }
    return String(example ?? schema.example);
  }
  /** The example of a batch with a file that there is. */
  async function fileBatchBody(): Promise<object> {
    const messages = [{ role: 'user', content: 'x' }];
    const body = { model: 'sandbox/echo', messages };
    const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body };
    const form = new FormData();
    form.append('purpose', 'batch');
    form.append('file', new Blob([JSON.stringify(line)]), 'x.jsonl');
    const { id } = await ordinary.make<{ id: string }>('/v1/files', form);
    return { ...(sampleOf(document.components.schemas['CreateFileBatch'] ?? {}) as object), input_file_id: id };
  }
  /** The body of the completion of an upload, with a part that there is. */
  async function completionOf(path: string): Promise<object> {
    const form = new FormData();
    form.append('data', new Blob(['RIFF']), 'data.bin');
    const { id } = await ordinary.make<{ id: string }>(path.replace(/complete$/, 'parts'), form);
    return { part_ids: [id] };
  }
  async function newLogEntry(): Promise<string> {
    await ordinary.chat({ model: 'sandbox/lorem' });
    let id: string | undefined;
    await until(async () => {
      const list = await gateway.admin.read<RequestLogListDto>('/v1/admin/request-log');
      id = list.data[0]?.id;
      return id !== undefined;
    });
    return id ?? '';
  }

  function sampleOf(schema: Schema): unknown {
    if (schema.example !== undefined) return schema.example;
    if (schema.$ref !== undefined)
      return sampleOf(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
    if (schema.default !== undefined) return schema.default;
    if (schema.enum !== undefined) return schema.enum[0];
    const parts = schema.allOf ?? schema.oneOf?.slice(0, 1) ?? schema.anyOf?.slice(0, 1);
    if (parts !== undefined) {
      const samples = parts.map(sampleOf);
      return samples.length === 1 ? samples[0] : Object.assign({}, ...samples);
    }
    if (schema.properties !== undefined) {
      return Object.fromEntries(Object.entries(schema.properties).map(([name, each]) => [name, sampleOf(each)]));
    }
    if (schema.type === 'array') return [sampleOf(schema.items ?? {})];
    return { string: 'string', integer: 0, number: 0, boolean: true }[schema.type ?? ''] ?? {};
  }

  /** A form with a small file in each place for one. */
  function formOf({ $ref }: Schema): FormData {
    const form = new FormData();
    const { properties = {} } = document.components.schemas[$ref?.split('/').at(-1) ?? ''] ?? {};
    for (const [name, schema] of Object.entries(properties)) {
      if (schema.format === 'binary') form.append(name, new Blob(['RIFF']), `${name}.bin`);
      else form.append(name, String(sampleOf(schema)));
    }
    return form;
  }

  function bodiesOf({ requestBody }: Operation): unknown[] {
    const form = requestBody?.content['multipart/form-data'];
    if (form !== undefined) return [formOf(form.schema)];
    const media = requestBody?.content['application/json'];
    if (media === undefined) return [undefined];
    if (media.examples !== undefined) return Object.values(media.examples).map(({ value }) => value);
    return [media.example ?? sampleOf(media.schema)];
  }

  it('are accepted, each as it stands', async () => {
    const refused: string[] = [];
    let sent = 0;
    for (const [template, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const client = template.includes('/admin/') || template === '/metrics' ? gateway.admin : ordinary;
        for (const body of bodiesOf(operation)) {
          let path = template;
          const query = new URLSearchParams();
          const headers: string[] = [];
          for (const parameter of operation.parameters ?? []) {
            const example = parameter.example ?? parameter.schema.example ?? parameter.schema.default;
            if (parameter.in === 'path') {
              path = path.replace(`{${parameter.name}}`, encodeURIComponent(await pathValue(template, parameter)));
            } else if (parameter.in === 'query' && (example !== undefined || parameter.required === true)) {
              query.set(parameter.name, String(example));
            } else if (parameter.in === 'header' && (example !== undefined || parameter.required === true)) {
              headers.push(parameter.name);
            }
          }
          if (headers.length > 0) refused.push(`${method} ${template} fills in headers: ${headers.join(', ')}`);
          let needsBody = method === 'post' && body === undefined ? {} : body;
          if (method === 'post' && template === '/v1/batches') needsBody = await fileBatchBody();
          if (method === 'put' && template === CONFIGURATION) needsBody = await editOfConfiguration();
          if (template.endsWith('/restore'))
            needsBody = { ...(body as object), version: (await configuration()).version };
          if (template.endsWith('/complete')) needsBody = await completionOf(path);
          const url = `${path}?${query.toString()}`;
          const { status, text } = await client.send(method.toUpperCase() as Method, url, needsBody as RequestBody);
          sent += 1;
          // No response is made in the background, so that there is nothing to cancel.
          const hasNothingToCancel = template.endsWith('/responses/{response_id}/cancel') && status === 400;
          // The example of a key is none of this gateway, and a client with a key has no session.
          const hasNoSession = template.startsWith('/v1/session') && (status === 401 || status === 404);
          const isExpected = hasNothingToCancel || hasNoSession;
          if (status >= 400 && !isExpected)
            refused.push(`${method} ${template} ${JSON.stringify(body)}: ${status} ${text}`);
        }
      }
    }
    expect(refused).toEqual([]);
    expect(sent).toBeGreaterThan(40);
  });

  it('of filters are not filled in, so that lists are whole', () => {
    const filled = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { parameters = [] }]) =>
        parameters
          .filter(({ in: where, required }) => where === 'query' && required !== true)
          .filter(({ name }) => !['limit', 'interval', 'group_by', 'results'].includes(name))
          .filter(({ example, schema }) => (example ?? schema.example) !== undefined)
          .map(({ name }) => `${method} ${path} ${name}`),
      ),
    );
    expect(filled).toEqual([]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '../../errors/gateway-error.js';
import { readUpload, type Upload } from './upload.js';

const directory = mkdtempSync(join(tmpdir(), 'upload-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const RULES = {
  keep: new Set(['model', 'prompt']),
  files: ['file'],
  maxFiles: 1,
  limit: { maxBytes: 4_000_000, advice: 'Send less.' },
  directory,
};

/** What comes of a form that is sent over HTTP. */
async function send(
  body: FormData | string,
  use: (upload: Upload) => Promise<void>,
  type?: string,
): Promise<GatewayError | undefined> {
  let fault: GatewayError | undefined;
  const server = createServer((request: IncomingMessage, response) => {
    void readUpload(request, RULES)
      .then(async (upload) => {
        await use(upload);
        await upload.dispose();
      })
      .catch((error: unknown) => {
        if (!(error instanceof GatewayError)) throw error;
        fault = error;
      })
      .finally(() => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const headers = new Headers(type === undefined ? [] : [['content-type', type]]);
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method: 'POST', body, headers });
  } finally {
    server.close();
    server.closeAllConnections();
  }
  return fault;
}

function formOf(file: Buffer | string | null, fields: Readonly<Record<string, string>> = { model: 'a' }): FormData {
  const form = new FormData();
  if (file !== null) form.append('file', new Blob([new Uint8Array(Buffer.from(file as string))]), 'sound.wav');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

function withFile(form: FormData): FormData {
  form.append('other', new Blob(['abc']), 'other.wav');
  return form;
}

describe('readUpload', () => {
  it.each([100, 3_000_000])('gives a file of %d bytes to each attempt with its model', async (size) => {
    const file = Buffer.alloc(size, 'abcdefghijk');
    let tried = 0;
    const fault = await send(formOf(file, { prompt: 'é', model: 'public' }), async (upload) => {
      expect([...upload.fields]).toEqual([
        ['prompt', 'é'],
        ['model', 'public'],
      ]);
      for (const model of ['first', 'the second']) {
        const body = upload.bodyFor(model);
        const chunks: Buffer[] = [];
        for await (const chunk of body.open()) chunks.push(chunk);
        const sent = Buffer.concat(chunks);
        expect(sent.length).toBe(body.length);
        const text = sent.toString('latin1');
        expect(text.split('name="model"\r\n\r\n')[1]).toMatch(new RegExp(`^${model}\r\n`));
        expect(sent.includes(file)).toBe(true);
        tried += 1;
      }
      expect(upload.named).toEqual({ file: undefined, prompt: 'é', model: 'public' });
      const shorter: Buffer[] = [];
      for await (const chunk of upload.without(['prompt']).bodyFor('m').open()) shorter.push(chunk);
      expect(Buffer.concat(shorter).includes('name="prompt"')).toBe(false);
      expect(Buffer.concat(shorter).includes(file)).toBe(true);
      const [part] = upload.files;
      expect(part?.filename).toBe('sound.wav');
      expect(await upload.read(part!, 1, 5)).toEqual(file.subarray(1, 6));
      expect(await upload.read(part!, size - 2, 50)).toEqual(file.subarray(size - 2));
    });
    expect(fault).toBeUndefined();
    expect(tried).toBe(2);
  });

  it.each([
    ['no file', () => formOf(null), 400, 'missing_required_parameter', 'file'],
    ['a field in place of the file', () => formOf(null, { file: 'abc', model: 'a' }), 400, 'invalid_type', 'file'],
    ['an empty file', () => formOf(''), 400, 'invalid_value', 'file'],
    ['two files', () => withFile(formOf('abc')), 400, 'array_above_max_length', 'file'],
    ['too much', () => formOf(Buffer.alloc(5_000_000)), 413, 'request_too_large', null],
  ])('refuses %s', async (_case, form, status, code, param) => {
    expect(await send(form(), () => Promise.resolve())).toMatchObject({ status, code, param });
  });

  it('refuses another content type, and a body that is no form', async () => {
    const never = (): Promise<void> => Promise.reject(new Error('it was read'));
    expect(await send('{}', never, 'application/json')).toMatchObject({ status: 415 });
    expect(await send('{}', never, 'multipart/form-data; boundary=a')).toMatchObject({ code: 'invalid_multipart' });
  });
});

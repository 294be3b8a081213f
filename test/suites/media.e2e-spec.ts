import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, readdirSync } from 'node:fs';
import OpenAI, { BadRequestError, NotFoundError, toFile } from 'openai';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { RequestBody } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** The first bytes of the body. */
  readonly head: Buffer;
  readonly size: number;
  readonly hash: string;
}

const HEAD_BYTES = 1024 * 1024;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** An upstream with OpenAI's endpoints of images and audio; what it does follows from the name of the model. */
class MediaUpstream {
  readonly received: Received[] = [];
  closed = 0;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      const hash = createHash('sha256');
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        if (size < HEAD_BYTES) chunks.push(chunk);
        size += chunk.length;
        hash.update(chunk);
      });
      request.on('end', () => {
        const head = Buffer.concat(chunks);
        const path = request.url ?? '';
        this.received.push({ path, headers: request.headers, head, size, hash: hash.digest('hex') });
        response.on('close', () => {
          if (!response.writableFinished) this.closed += 1;
        });
        this.respond(path, head.toString('latin1'), response);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private respond(path: string, body: string, response: ServerResponse): void {
    const json = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (body.includes('fails')) {
      json({ error: { message: 'broken', type: 'server_error' } }, 500);
      return;
    }
    if (path.endsWith('/audio/speech')) {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write(Buffer.alloc(100_000, 1));
      if (body.includes('cut')) return void setTimeout(() => response.destroy(), 50);
      if (body.includes('hangs')) return;
      response.end(Buffer.alloc(100_000, 2));
      return;
    }
    if (path.includes('/images/')) {
      const usage = { input_tokens: 10, output_tokens: 272, total_tokens: 282 };
      json({ created: 1, big: 12345678901234567890n.toString(), data: [{ b64_json: 'aGk=' }], usage });
      return;
    }
    if (body.includes('"stream"\r\n\r\ntrue')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"type":"transcript.text.delta","delta":"a"}\n\ndata: {"type":"transcr');
      if (body.includes('cut')) return void setTimeout(() => response.destroy(), 50);
      const usage = { type: 'tokens', input_tokens: 7, output_tokens: 3, total_tokens: 10 };
      response.end(`ipt.text.done","text":"ab","usage":${JSON.stringify(usage)}}\n\n`);
      return;
    }
    json({ text: 'a b', usage: { type: 'duration', seconds: 30 } });
  }
}

describe('images and audio', () => {
  const upstream = new MediaUpstream();
  const other = new MediaUpstream();
  let gateway: RunningGateway;
  let key: string;
  let client: OpenAI;

  beforeAll(async () => {
    const [first, second] = await Promise.all([upstream.start(), other.start()]);
    gateway = await startGateway({
      config: {
        sandbox: true,
        server: { max_upload_size: '300MB' },
        providers: {
          first: openAiAt({ url: first }, { api_key: 'upstream-key' }),
          second: openAiAt({ url: second }, { api_key: 'other-key' }),
          azure: { type: 'azure', base_url: `${first}/openai`, api_key: 'azure-key', api_version: '2024-10-21' },
          claude: openAiAt({ url: first }, { type: 'anthropic', api_key: 'upstream-key' }),
        },
        models: [
          model('whisper', 'first/upstream-whisper', { price: { audio_per_minute: 0.006 } }),
          model('voice', 'first/tts', { price: { characters_per_million: 15 } }),
          model('draw', 'first/painter', { price: { images: [{ per_image: 0.04 }] } }),
          model('gpt-image-1.5', 'first/gpt-painter'),
          model('dall-e-2', 'first/old-painter'),
          model('steady', ['first/fails', 'second/works'], { strategy: 'priority' }),
        ],
      },
    });
    key = await gateway.apiKey({ name: 'media' });
    client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    upstream.stop();
    other.stop();
  });

  const lastRecord = (id: string): Promise<UsageRecordDto> => gateway.admin.usageRecord(() => true, `model=${id}`);
  const send = (path: string, body: RequestBody, type = ''): Promise<GatewayResponse> =>
    gateway.client(key).post(`/v1${path}`, body, type === '' ? {} : { headers: { 'content-type': type } });

  describe('on the sandbox, with the official client', () => {
    it('makes images of the size that is asked for, whole and as events', async () => {
      const { data } = await client.images.generate({
        model: 'sandbox/image',
        prompt: 'a boat',
        n: 2,
        size: '256x256',
      });
      const images = data?.map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64')) ?? [];
      expect(images.map((image) => [image.subarray(0, 8).equals(PNG), image.readUInt32BE(16)])).toEqual([
        [true, 256],
        [true, 256],
      ]);
      expect(images[0]).not.toEqual(images[1]);
      const stream = await client.images.generate({
        model: 'sandbox/image',
        prompt: 'a boat',
        stream: true,
        partial_images: 1,
        size: '256x256',
      });
      const types: string[] = [];
      for await (const event of stream) types.push(event.type);
      expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
      const edited = await client.images.edit({
        model: 'sandbox/image',
        prompt: 'bluer',
        image: [await toFile(images[0]!, 'a.png'), await toFile(images[1]!, 'b.png')],
        size: '256x256',
      });
      expect(edited.usage?.input_tokens_details.image_tokens).toBeGreaterThan(0);
    });

    it('reads out, and transcribes what it has read out', async () => {
      const speech = await client.audio.speech.create({
        model: 'sandbox/speech',
        input: 'a somewhat longer sentence',
        voice: 'alloy',
      });
      expect(speech.headers.get('content-type')).toBe('audio/wav');
      const sound = Buffer.from(await speech.arrayBuffer());
      expect(sound.toString('latin1', 0, 4)).toBe('RIFF');
      const file = await toFile(sound, 'speech.wav');
      const model = 'sandbox/transcribe';
      const { text } = await client.audio.transcriptions.create({ file, model });
      expect(text).toBe('Sandbox transcription of speech.wav, which lasts 1.35 seconds.');
      const verbose = await client.audio.transcriptions.create({ file, model, response_format: 'verbose_json' });
      expect(verbose.duration).toBeCloseTo(1.35, 3);
      expect(await client.audio.transcriptions.create({ file, model, response_format: 'vtt' })).toMatch(
        /^WEBVTT\n\n00:/,
      );
      expect(await client.audio.transcriptions.create({ file, model, response_format: 'srt' })).toMatch(
        /^1\n00:00:00,000 -->/,
      );
      expect((await client.audio.translations.create({ file, model })).text).toMatch(/^Sandbox translation/);
      const deltas: string[] = [];
      for await (const event of await client.audio.transcriptions.create({ file, model, stream: true })) {
        if (event.type === 'transcript.text.delta') deltas.push(event.delta);
      }
      expect(deltas.join('')).toBe(text);
    });

    it('breaks the connection, or ends with an error event, where the sandbox ends early', async () => {
      const sound = await client.audio.speech.create({
        model: 'sandbox/cut',
        input: 'long '.repeat(50),
        voice: 'alloy',
      });
      await expect(sound.arrayBuffer()).rejects.toThrow();
      const body = { model: 'sandbox/cut', input: 'a', stream_format: 'sse' };
      expect((await send('/audio/speech', body)).text).toMatch(/data: \{"error":.*half-way/);
    });

    it.each([
      [
        'response_format',
        () => client.images.generate({ model: 'sandbox/image', prompt: 'a', response_format: 'url' }),
      ],
      ['size', () => client.images.generate({ model: 'sandbox/image', prompt: 'a', size: '9999x1' })],
      [
        'response_format',
        () => client.audio.speech.create({ model: 'sandbox/speech', input: 'a', voice: 'x', response_format: 'mp3' }),
      ],
    ])('refuses %s by name where it cannot do it', async (param, call) => {
      await expect(call()).rejects.toMatchObject({ status: 400, param });
    });
  });

  describe('through real HTTP', () => {
    it('sends the bytes of the form with another model alone, wherever the model stands in it', async () => {
      const file = Buffer.alloc(700_000, 'abcdefg');
      for (const order of [
        ['model', 'file'],
        ['file', 'model'],
      ]) {
        const form = new FormData();
        for (const name of order) {
          if (name === 'model') form.append('model', 'whisper');
          else form.append('file', new Blob([file], { type: 'audio/wav' }), 'a "ü".wav');
        }
        form.append('timestamp_granularities[]', 'word');
        const sent = new Response(form);
        const type = sent.headers.get('content-type') ?? '';
        const bytes = Buffer.from(await sent.arrayBuffer());
        const response = await send('/audio/transcriptions', bytes, type);
        expect(response.body).toEqual({ text: 'a b', usage: { type: 'duration', seconds: 30 } });
        expect(response.header('x-gateway-cost')).toBe('0.003');
        const { hash, size, headers, path } = upstream.received.at(-1)!;
        const expected = Buffer.from(
          bytes.toString('latin1').replace('name="model"\r\n\r\nwhisper', 'name="model"\r\n\r\nupstream-whisper'),
          'latin1',
        );
        expect([path, size, hash]).toEqual([
          '/v1/audio/transcriptions',
          expected.length,
          createHash('sha256').update(expected).digest('hex'),
        ]);
        expect(headers['content-length']).toBe(String(expected.length));
        expect(headers.authorization).toBe('Bearer upstream-key');
      }
      expect(await lastRecord('whisper')).toMatchObject({
        operation: 'transcription',
        status: 'succeeded',
        cost_usd: 0.003,
      });
    });

    it('sends the form again to another deployment when one fails', async () => {
      const form = new FormData();
      form.append('file', new Blob([Buffer.alloc(600_000, 'x')]), 'a.wav');
      form.append('model', 'steady');
      const response = await send('/audio/translations', form);
      expect(response.status).toBe(200);
      expect(response.header('x-gateway-attempts')).toBe('2');
      const [failed, served] = [upstream.received.at(-1)!, other.received.at(-1)!];
      expect([failed.path, served.path]).toEqual(['/v1/audio/translations', '/v1/audio/translations']);
      expect(failed.size - 'fails'.length).toBe(served.size - 'works'.length);
    });

    it('keeps its memory flat, and the disk clean, with 200 MB', async () => {
      const rss = (): number =>
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]) * 1024;
      const upload = async (megabytes: number): Promise<number> => {
        let peak = 0;
        const timer = setInterval(() => (peak = Math.max(peak, rss())), 20);
        const piece = Buffer.alloc(1024 * 1024, 'z');
        const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
        const tail = '\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--b--\r\n';
        async function* body(): AsyncGenerator<Buffer> {
          yield Buffer.from(head);
          for (let index = 0; index < megabytes; index += 1) yield await Promise.resolve(piece);
          yield Buffer.from(tail);
        }
        const stream = ReadableStream.from(body());
        const response = await send('/audio/transcriptions', stream, 'multipart/form-data; boundary=b');
        clearInterval(timer);
        expect(response.status).toBe(200);
        expect(upstream.received.at(-1)!.size).toBeGreaterThan(megabytes * 1024 * 1024);
        return peak;
      };
      const small = await upload(20);
      const large = await upload(200);
      // A body in memory would add at least its 200 MB.
      expect(large - small).toBeLessThan(100 * 1024 * 1024);
      expect(readdirSync(gateway.dataDirectory).filter((name) => name.startsWith('upload-'))).toEqual([]);
    });

    it('passes images on byte for byte, at a price for each', async () => {
      const response = await send('/images/generations', { model: 'draw', prompt: 'x', seed: 7 });
      expect(response.text).toContain('"big":"12345678901234567890"');
      expect(response.header('x-gateway-cost')).toBe('0.04');
      expect(JSON.parse(upstream.received.at(-1)!.head.toString())).toEqual({ model: 'painter', prompt: 'x', seed: 7 });
      expect(await lastRecord('draw')).toMatchObject({
        operation: 'images',
        prompt_tokens: 10,
        completion_tokens: 272,
        cost_usd: 0.04,
      });
    });

    it.each([
      ['a plain generation', 'old-painter', () => client.images.generate({ prompt: 'x' })],
      ['a field of the GPT models', 'gpt-painter', () => client.images.generate({ prompt: 'x', output_format: 'png' })],
      ['an edit', 'gpt-painter', async () => client.images.edit({ prompt: 'x', image: await toFile(PNG, 'a.png') })],
    ])("goes to OpenAI's default without a model: %s", async (_case, expected, make) => {
      await make();
      expect(upstream.received.at(-1)!.head.toString('latin1')).toContain(expected);
    });

    it('streams sound, and prices its characters', async () => {
      const speech = await client.audio.speech.create({ model: 'voice', input: 'x'.repeat(100), voice: 'alloy' });
      expect(speech.headers.get('content-type')).toBe('audio/mpeg');
      expect(Buffer.from(await speech.arrayBuffer())).toEqual(
        Buffer.concat([Buffer.alloc(100_000, 1), Buffer.alloc(100_000, 2)]),
      );
      expect(await lastRecord('voice')).toMatchObject({ operation: 'speech', status: 'succeeded', cost_usd: 0.0015 });
    });

    it('breaks the connection where the sound breaks', async () => {
      const speech = await client.audio.speech.create({ model: 'first/tts', input: 'cut', voice: 'alloy' });
      expect(speech.status).toBe(200);
      await expect(speech.arrayBuffer()).rejects.toThrow();
    });

    it('ends the upstream call when the client has gone', async () => {
      const before = upstream.closed;
      const controller = new AbortController();
      const speech = await client.audio.speech.create(
        { model: 'first/tts', input: 'hangs', voice: 'alloy' },
        { signal: controller.signal },
      );
      expect(speech.status).toBe(200);
      controller.abort();
      await until(() => upstream.closed > before);
      expect(upstream.closed).toBe(before + 1);
    });

    it('passes on whole events, and an error event in place of half of one', async () => {
      const form = (prompt: string): FormData => {
        const data = new FormData();
        data.append('model', 'whisper');
        data.append('stream', 'true');
        data.append('prompt', prompt);
        data.append('file', new Blob(['abc']), 'a.wav');
        return data;
      };
      expect((await send('/audio/transcriptions', form('x'))).text).toBe(
        'data: {"type":"transcript.text.delta","delta":"a"}\n\ndata: {"type":"transcript.text.done","text":"ab","usage":{"type":"tokens","input_tokens":7,"output_tokens":3,"total_tokens":10}}\n\n',
      );
      expect((await send('/audio/transcriptions', form('cut'))).text).toMatch(
        /^data: \{"type":"transcript.text.delta","delta":"a"\}\n\ndata: \{"error":\{[^\n]+\}\}\n\n$/,
      );
    });

    it('calls a deployment of Azure at its own address', async () => {
      await client.images.generate({ model: 'azure/my-images', prompt: 'x' });
      const { path, headers } = upstream.received.at(-1)!;
      expect(path).toBe('/openai/deployments/my-images/images/generations?api-version=2024-10-21');
      expect(headers['api-key']).toBe('azure-key');
    });

    it('names provider and operation where there is no such endpoint', async () => {
      const call = client.images.generate({ model: 'claude/any', prompt: 'x' });
      await expect(call).rejects.toBeInstanceOf(NotFoundError);
      await expect(call).rejects.toMatchObject({
        code: 'unsupported_endpoint',
        message: /images.*'claude'/,
      });
    });
  });

  describe('what cannot be read', () => {
    const part = (name: string, content: string, more = ''): string =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
    const FILE = part('file', 'abc', '; filename="a.wav"');

    it.each([
      ['no model', `${FILE}--b--`, 400, 'missing_required_parameter', 'model'],
      ['no file', `${part('model', 'whisper')}--b--`, 400, 'missing_required_parameter', 'file'],
      [
        'two models',
        `${part('model', 'whisper')}${part('model', 'other')}${FILE}--b--`,
        400,
        'duplicate_field',
        'model',
      ],
      ['no end', `${part('model', 'whisper')}${FILE}`, 400, 'invalid_multipart', null],
      [
        'a wrong number',
        `${part('model', 'whisper')}${part('temperature', 'hot')}${FILE}--b--`,
        400,
        'invalid_type',
        'temperature',
      ],
      ['an unknown model', `${part('model', 'unknown')}${FILE}--b--`, 404, 'model_not_found', 'model'],
    ])('%s', async (_case, body, status, code, param) => {
      const response = await send('/audio/transcriptions', body, 'multipart/form-data; boundary=b');
      expect(response.status).toBe(status);
      expect(response.body).toMatchObject({ error: { code, param } });
    });

    it('is JSON for a recording, a form without a boundary, and a form over the limit', async () => {
      expect((await send('/audio/transcriptions', '{}')).status).toBe(415);
      expect((await send('/audio/transcriptions', 'x', 'multipart/form-data')).status).toBe(400);
      await expect(
        client.images.edit({ model: 'sandbox/image', prompt: '', image: await toFile(PNG, 'a.png') }),
      ).rejects.toBeInstanceOf(BadRequestError);
      const response = await send('/images/edits', { model: 'sandbox/image', prompt: 'x' });
      expect(response.body).toMatchObject({ error: { param: 'image', code: 'missing_required_parameter' } });
    });
  });
});

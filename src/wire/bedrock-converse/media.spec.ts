import { GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalBlock, MediaSource } from '../../operations/chat/canonical/blocks.js';
import { ANTHROPIC } from '../anthropic/anthropic-wire.js';
import { BEDROCK_CONVERSE } from './bedrock-converse-wire.js';

const DATA = Buffer.from('bytes').toString('base64');
const OFFICE = 'application/vnd.openxmlformats-officedocument';

function contentOf(block: CanonicalBlock): unknown {
  const request = { model: 'm', messages: [{ role: 'user' as const, blocks: [block] }] };
  const target = { upstreamModel: 'amazon.nova-pro-v1:0', client: 'gemini', traits: {} } as const;
  const { body } = BEDROCK_CONVERSE.writeRequest(request, target);
  const [{ content } = { content: [] }] = body['messages'] as { content: unknown[] }[];
  return content[0];
}
const base64 = (mediaType: string): MediaSource => ({ kind: 'base64', mediaType, data: DATA });

describe('media in Converse', () => {
  it.each([
    ['video/mp4', 'mp4'],
    ['video/quicktime', 'mov'],
    ['video/x-matroska', 'mkv'],
    ['video/3gpp', 'three_gp'],
    ['video/webm', 'webm'],
  ])('a video of %s is of the format %s', (type, format) => {
    expect(contentOf({ type: 'video', source: base64(type) })).toEqual({ video: { format, source: { bytes: DATA } } });
  });

  it.each([
    [`${OFFICE}.wordprocessingml.document`, 'docx'],
    [`${OFFICE}.spreadsheetml.sheet`, 'xlsx'],
    ['application/msword', 'doc'],
    ['application/pdf', 'pdf'],
  ])('a document of %s is of the format %s', (type, format) => {
    expect(contentOf({ type: 'file', source: base64(type), name: 'Plan' })).toMatchObject({
      document: { format, name: 'Plan', source: { bytes: DATA } },
    });
  });

  it('an object of S3 goes along by its address', () => {
    const source = { kind: 'url', url: 's3://bucket/film.mp4', mediaType: 'video/mp4' } as const;
    expect(contentOf({ type: 'video', source })).toEqual({
      video: { format: 'mp4', source: { s3Location: { uri: 's3://bucket/film.mp4' } } },
    });
  });

  it.each<[string, CanonicalBlock]>([
    ['video/x-unknown', { type: 'video', source: base64('video/x-unknown') }],
    ['application/zip', { type: 'file', source: base64('application/zip') }],
    ['addresses', { type: 'video', source: { kind: 'url', url: 'https://x.example/film.mp4' } }],
    ['audio', { type: 'audio', source: base64('audio/wav') }],
  ])('%s is refused by name', (name, block) => {
    let thrown: unknown;
    try {
      contentOf(block);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GatewayError);
    expect(thrown).toMatchObject({ status: 400, message: expect.stringContaining(name) as string });
  });

  it('Claude’s own API takes no video', () => {
    const messages = [{ role: 'user' as const, blocks: [{ type: 'video' as const, source: base64('video/mp4') }] }];
    const target = { upstreamModel: 'claude-x', client: 'gemini', traits: {} } as const;
    expect(() => ANTHROPIC.writeRequest({ model: 'm', messages }, target)).toThrow(/takes no video/);
  });
});

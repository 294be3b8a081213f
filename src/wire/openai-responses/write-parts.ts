import type { CanonicalBlock, MediaSource } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { extra, RESPONSES } from './item-extras.js';

/** Names the fields of a request that this format does not have. */
export type Drop = (name: string) => void;

const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
};

/** Parts of a message of the user or of the system, or of a tool's result. */
export function writeInputParts(blocks: readonly CanonicalBlock[], path: string, drop: Drop): JsonObject[] {
  return blocks.flatMap((block, index): JsonObject[] => {
    switch (block.type) {
      case 'text':
      case 'refusal':
        return [{ type: 'input_text', text: block.text }];
      case 'image':
        return [{ type: 'input_image', ...imageOf(block.source), detail: block.detail ?? 'auto' }];
      case 'file':
        return writeFile(block.source, block.name);
      case 'audio': {
        const { source } = block;
        if (source.kind === 'base64') {
          const format = AUDIO_FORMATS[source.mediaType] ?? source.mediaType.replace(/^audio\//, '');
          return [{ type: 'input_audio', input_audio: { data: source.data, format } }];
        }
        drop(`${path}[${index}]`);
        return [];
      }
      case 'opaque':
        if (block.wire === RESPONSES) return [block.value];
        drop(`${path}[${index}]`);
        return [];
      case 'tool_call':
      case 'tool_result':
      case 'thinking':
        return [];
      default:
        drop(`${path}[${index}]`);
        return [];
    }
  });
}

function imageOf(source: MediaSource): JsonObject {
  switch (source.kind) {
    case 'base64':
      return { image_url: dataUrl(source.mediaType, source.data) };
    case 'url':
      return { image_url: source.url };
    case 'file':
      return { file_id: source.id };
    case 'text':
      return { image_url: dataUrl(source.mediaType, Buffer.from(source.text, 'utf8').toString('base64')) };
  }
}

function writeFile(source: MediaSource, name: string | undefined): JsonObject[] {
  const named = name === undefined ? {} : { filename: name };
  switch (source.kind) {
    case 'base64':
      // OpenAI refuses file data without a name.
      return [{ type: 'input_file', filename: name ?? 'file', file_data: dataUrl(source.mediaType, source.data) }];
    case 'url':
      return [{ type: 'input_file', ...named, file_url: source.url }];
    case 'file':
      return [{ type: 'input_file', ...named, file_id: source.id }];
    case 'text':
      return [{ type: 'input_text', text: source.text }];
  }
}

function dataUrl(mediaType: string, data: string): string {
  return `data:${mediaType};base64,${data}`;
}

/** A part of a message of the model. */
export function writeOutputPart(block: CanonicalBlock): JsonObject | undefined {
  if (block.type === 'text') {
    const [annotations, logprobs] = [extra(block, 'annotations'), extra(block, 'logprobs')];
    return {
      type: 'output_text',
      text: block.text,
      annotations: annotations ?? [],
      ...(logprobs !== undefined && { logprobs }),
    };
  }
  return block.type === 'refusal' ? { type: 'refusal', refusal: block.text } : undefined;
}

import type { CanonicalBlock, CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';

/** The request without the thinking and the signatures of earlier turns; undefined where it has none. */
export function withoutThinking(request: CanonicalRequest): CanonicalRequest | undefined {
  if (!request.messages.some(({ blocks }) => blocks.some(isSigned))) return undefined;
  const messages = request.messages.map((message): CanonicalMessage => ({
    ...message,
    blocks: message.blocks.flatMap(unsigned),
  }));
  return { ...request, messages };
}

function isSigned(block: CanonicalBlock): boolean {
  return block.type === 'thinking' || ('signature' in block && block.signature !== undefined);
}

function unsigned(block: CanonicalBlock): CanonicalBlock[] {
  if (block.type === 'thinking') return [];
  if (!('signature' in block)) return [block];
  const { signature: _signature, ...rest } = block;
  return [rest];
}

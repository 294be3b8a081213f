import type { IncomingMessage } from 'node:http';
import { invalidJson } from '../errors/gateway-error.js';
import { clientClosedRequest } from '../errors/to-gateway-error.js';

/**
 * The body of a request that says how long it is, which Node's parser sees to. An empty one is an empty object.
 *
 * @throws GatewayError 400 when it is no JSON, 499 when the client goes away before its end
 */
export async function readJson(request: IncomingMessage): Promise<object> {
  const bytes = await readWhole(request);
  if (bytes.length === 0) return {};
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    throw invalidJson();
  }
  if (typeof value !== 'object' || value === null) throw invalidJson();
  return value;
}

const NOTHING = Buffer.alloc(0);

function readWhole(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let all: Buffer[] | undefined;
    const fail = (): void => {
      if (!request.complete) reject(clientClosedRequest());
    };
    request.on('data', (chunk: Buffer) => {
      if (first === undefined) first = chunk;
      else (all ??= [first]).push(chunk);
    });
    request.on('end', () => resolve(all === undefined ? (first ?? NOTHING) : Buffer.concat(all)));
    request.on('error', fail);
    request.on('close', fail);
  });
}

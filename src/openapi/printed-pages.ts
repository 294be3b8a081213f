import { createHash } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

interface Page {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

/**
 * Keeps pages that are the same for every client: the first request of a path has its page made, all others get those bytes, or
 * a 304 where they have them. The pages need no key, so a request for one must cost next to nothing.
 */
export function printOnce(
  paths: readonly string[],
): (request: Request, response: Response, next: NextFunction) => void {
  const pages = new Map<string, Page | undefined>(paths.map((path) => [path, undefined]));
  return (request, response, next) => {
    const { path } = request;
    if (!pages.has(path) || (request.method !== 'GET' && request.method !== 'HEAD')) {
      next();
      return;
    }
    const page = pages.get(path);
    if (page !== undefined) {
      send(page, request, response);
      return;
    }
    response.send = (body: unknown) => {
      const bytes = Buffer.from(String(body));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
      const made = { body: bytes, contentType: String(response.getHeader('content-type')), etag };
      pages.set(path, made);
      send(made, request, response);
      return response;
    };
    next();
  };
}

function send({ body, contentType, etag }: Page, request: Request, response: Response): void {
  response.setHeader('etag', etag);
  response.setHeader('cache-control', 'no-cache');
  if (hasTag(request.headers['if-none-match'], etag)) {
    response.removeHeader('content-type');
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader('content-type', contentType);
  response.setHeader('content-length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** RFC 9110, 13.1.2: a list of tags, weak ones included, or `*`. */
function hasTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { constants, brotliCompressSync, gzipSync } from 'node:zlib';
import type { NextFunction, Request, Response } from 'express';

/** The path of the console. */
const BASE = '/console';
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.woff2': 'font/woff2',
};
/** Everything from this gateway, nothing inline, in no frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');
/** A good ratio for little time: each file is compressed once, when it is first asked for. */
const BROTLI_QUALITY = 9;

interface ConsoleFile {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
  /** Whether its name changes with its content. */
  readonly isHashed: boolean;
  /** Set when it is first asked for in this encoding. */
  readonly encoded: Map<string, Buffer>;
}

/**
 * Serves the built console below `/console`, and leads browsers from `/` to it. The files are read
 * when the first of them is asked for. Every other request goes on to the API. Paths without an extension are those of pages, so they get index.html.
 *
 * @param folder where the build put the files
 * @returns undefined where it is not there: the console was not built
 */
export function serveConsole(
  folder: string,
): ((request: Request, response: Response, next: NextFunction) => void) | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined;
  let files: ReadonlyMap<string, ConsoleFile> | undefined;
  return function consoleFiles(request, response, next) {
    const { path, method } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && path === '/' && acceptsHtml(request)) {
      response.setHeader('cache-control', 'no-cache');
      response.setHeader('vary', 'accept');
      response.redirect(302, `${BASE}/`);
      return;
    }
    const isBelow = isRead && (path === BASE || path.startsWith(`${BASE}/`));
    if (isBelow) files ??= readFiles(folder);
    const name = path.slice(BASE.length + 1);
    const file = isBelow
      ? (files?.get(name) ?? (extname(name) === '' ? files?.get('index.html') : undefined))
      : undefined;
    if (file === undefined) next();
    else send(file, request, response);
  };
}

/** Programs send no `Accept`, or one of any kind of content; only browsers ask for HTML by name. */
function acceptsHtml({ headers }: Request): boolean {
  return headers.accept?.includes('text/html') === true;
}

function readFiles(folder: string): ReadonlyMap<string, ConsoleFile> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(folder, path).replaceAll('\\', '/');
      const body = readFileSync(path);
      return [
        name,
        {
          body,
          contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
          etag: createHash('sha256').update(body).digest('base64url').slice(0, 27),
          isHashed: name.startsWith('assets/'),
          encoded: new Map<string, Buffer>(),
        },
      ];
    }),
  );
}

function send(file: ConsoleFile, request: Request, response: Response): void {
  const encoding = request.acceptsEncodings(['br', 'gzip', 'identity']) || 'identity';
  const etag = `"${file.etag}-${encoding}"`;
  response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('vary', 'accept-encoding');
  response.setHeader('etag', etag);
  response.setHeader('cache-control', file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.headers['if-none-match']?.includes(etag) === true) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const body = encodedBody(file, encoding);
  response.setHeader('content-type', file.contentType);
  if (encoding !== 'identity') response.setHeader('content-encoding', encoding);
  response.setHeader('content-length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function encodedBody({ body, encoded }: ConsoleFile, encoding: string): Buffer {
  if (encoding === 'identity') return body;
  let result = encoded.get(encoding);
  if (result === undefined) {
    result =
      encoding === 'br'
        ? brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } })
        : gzipSync(body, { level: 9 });
    encoded.set(encoding, result);
  }
  return result;
}

import { readFileSync } from 'node:fs';
import type { Request, Response } from 'express';
import { addVersionPrefix } from './version-prefix.js';

function rewritten(url: string): string {
  const request = { url } as Request;
  addVersionPrefix(request, {} as Response, () => undefined);
  return request.url;
}

describe('addVersionPrefix', () => {
  it.each([
    ['/chat/completions', '/v1/chat/completions'],
    ['/models', '/v1/models'],
    ['/models?x=1', '/v1/models?x=1'],
    ['/models/a%2Fb', '/v1/models/a%2Fb'],
    ['/batch/generate', '/v1/batch/generate'],
    ['/admin/keys', '/v1/admin/keys'],
  ])('reads %s as %s', (url, expected) => {
    expect(rewritten(url)).toBe(expected);
  });

  it('covers every route of the document', () => {
    const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
      paths: Record<string, unknown>;
    };
    const paths = Object.keys(document.paths).filter((path) => path.startsWith('/v1/'));
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) expect(rewritten(path.slice('/v1'.length))).toBe(path);
  });

  it.each([['/v1/models'], ['/health'], ['/docs'], ['/modelsx'], ['//models'], ['/v1/v1/models']])(
    'leaves %s',
    (url) => {
      expect(rewritten(url)).toBe(url);
    },
  );
});

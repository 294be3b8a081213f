import { verifySignature } from '../aws-signature.js';
import type { BatchRequest, BatchServer, Send } from './batch-server.js';

export const S3_BUCKET = 'batches-s3';
export const GS_BUCKET = 'batches-gs';
export const AWS_KEY = { access_key_id: 'AKIABATCHES000000001', secret_access_key: 'long/secret+1' } as const;
export const GOOGLE_TOKEN = 'issued-access-token-of-batches';
/** Objects per page of a list, so that lists have pages. */
const PAGE_OBJECTS = 2;

/** Why a request is refused; undefined where its credentials are right. */
export function refusalOf(request: BatchRequest, service: 's3' | 'bedrock' | 'google'): string | undefined {
  if (service === 'google') {
    return request.headers.authorization === `Bearer ${GOOGLE_TOKEN}` ? undefined : 'no such token';
  }
  const { method, target: url, headers, body } = request;
  const found = verifySignature({ method, url, headers, body }, (id) =>
    id === AWS_KEY.access_key_id ? { secretAccessKey: AWS_KEY.secret_access_key } : undefined,
  );
  if (typeof found === 'string') return found;
  return found.service === service ? undefined : `signed for ${found.service}`;
}

/** The XML API of S3 and of Google Cloud Storage: one bucket of each, by the first part of the path. Also the token of the latter. */
export function objects(server: BatchServer, request: BatchRequest, send: Send): boolean {
  const { method, url, text } = request;
  if (url.pathname === '/google/token') {
    send(200, { access_token: GOOGLE_TOKEN, expires_in: 3_600, token_type: 'Bearer' });
    return true;
  }
  const [, bucket = '', ...rest] = url.pathname.split('/');
  if (bucket !== S3_BUCKET && bucket !== GS_BUCKET) return false;
  const scheme = bucket === S3_BUCKET ? 's3' : 'gs';
  const key = rest.map(decodeURIComponent).join('/');
  const name = `${scheme}://${bucket}/${key}`;
  const refusal = refusalOf(request, scheme === 's3' ? 's3' : 'google');
  if (refusal !== undefined) send(403, `<Error><Code>AccessDenied</Code><Message>${refusal}</Message></Error>`, XML);
  else if (key === '' && method === 'GET') list(server, name, url.searchParams, send);
  else if (method === 'PUT') {
    server.files.set(name, text);
    send(200, '', XML);
  } else if (method === 'DELETE') {
    server.files.delete(name);
    send(204, '');
  } else content(server, name, send);
  return true;
}

const XML = 'application/xml';

function content(server: BatchServer, name: string, send: Send): void {
  const found = server.files.get(name);
  const batch = [...server.stored.values()].find(({ facts }) => facts['output'] === name);
  if (found === undefined) send(404, '<Error><Code>NoSuchKey</Code></Error>', XML);
  else if (batch?.behavior.hidesOutput === true) send(503, '<Error><Code>SlowDown</Code></Error>', XML);
  else {
    if (batch !== undefined) server.read.add(batch.id);
    send(200, found, 'application/octet-stream');
  }
}

function list(server: BatchServer, bucket: string, query: URLSearchParams, send: Send): void {
  const start = `${bucket}${query.get('prefix') ?? ''}`;
  const keys = [...server.files.keys()]
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(bucket.length))
    .sort();
  const first = Number(query.get('continuation-token') ?? 0);
  const page = keys.slice(first, first + PAGE_OBJECTS);
  const next = first + PAGE_OBJECTS;
  const isTruncated = next < keys.length;
  const found = page.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
  const token = isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : '';
  send(
    200,
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${token}${found}</ListBucketResult>`,
    XML,
  );
}

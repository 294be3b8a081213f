/** A Redis server by host name or IP address. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** A parsed REDIS_URL. */
export interface RedisAddress {
  /** One server, a server that Sentinels watch, or a cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or nodes of the cluster to ask first. At least one. */
  readonly nodes: readonly RedisNode[];
  readonly isTls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Number of the database; 0 on a cluster. */
  readonly database: number;
  /** The name under which the Sentinels know the server. */
  readonly masterName: string | undefined;
  /** The password of the Sentinels themselves. */
  readonly sentinelPassword: string | undefined;
}

const FORMS =
  'redis://host:6379, redis-sentinel://host1:26379,host2:26379/mymaster or redis-cluster://host1:6379,host2:6379 (rediss with TLS)';
const URL_PARTS = /^(rediss?)(?:-(sentinel|cluster))?:\/\/(?:([^/]*)@)?([^/?#]+)(?:\/([^?#]*))?$/;
const DEFAULT_PORT = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;

/** Why a REDIS_URL cannot be used, without quoting it; undefined when it can. */
export function redisUrlFault(url: string): string | undefined {
  const address = readRedisUrl(url);
  return typeof address === 'string' ? address : undefined;
}

/** @returns the address, or what is wrong with the text */
export function readRedisUrl(url: string): RedisAddress | string {
  // A query holds options of ioredis for a single server, which ioredis reads itself.
  const [text = '', query] = url.split('?', 2);
  const parts = URL_PARTS.exec(text);
  if (parts === null) return `must look like ${FORMS}`;
  const [, scheme, form, credentials = '', hosts = '', path = ''] = parts;
  const kind = form === 'sentinel' || form === 'cluster' ? form : 'single';
  if (
    query !== undefined &&
    (kind === 'cluster' || (kind === 'sentinel' && !/^sentinel_password=[^&]+$/.test(query)))
  ) {
    return 'takes no query on a cluster, and with Sentinels ?sentinel_password=... alone';
  }
  const nodes = hosts.split(',').map((host) => readNode(host, DEFAULT_PORT[kind]));
  if (kind === 'single' && nodes.length > 1) {
    return 'names several hosts. Write redis-sentinel:// or redis-cluster:// before them';
  }
  if (!nodes.every((node) => node !== undefined)) {
    return 'must name hosts as host or host:port, with ports from 1 to 65535';
  }
  const steps = path.split('/').filter((step) => step !== '');
  const masterName = kind === 'sentinel' ? steps.shift() : undefined;
  if (kind === 'sentinel' && masterName === undefined) {
    return 'must end in the name of the watched server, such as /mymaster';
  }
  if (kind === 'cluster' && steps.length > 0 && steps[0] !== '0') return 'takes no database: a cluster has one, 0';
  if (steps.length > 1 || !/^\d{0,5}$/.test(steps[0] ?? '')) return 'must end in the number of a database, such as /0';
  const user = readCredentials(credentials);
  if (user === undefined) return 'has a user or password that is not percent-encoded, such as % as %25 and @ as %40';
  return {
    kind,
    nodes,
    isTls: scheme === 'rediss',
    ...user,
    database: Number(steps[0] ?? 0),
    masterName,
    sentinelPassword: new URLSearchParams(query).get('sentinel_password') ?? undefined,
  };
}

function readNode(text: string, defaultPort: number): RedisNode | undefined {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text.trim());
  if (parts === null) return undefined;
  const port = parts[2] === undefined ? defaultPort : Number(parts[2]);
  if (port < 1 || port > 65_535) return undefined;
  return { host: (parts[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function readCredentials(text: string): { username: string | undefined; password: string | undefined } | undefined {
  try {
    const colon = text.indexOf(':');
    const [username, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    return {
      username: username === '' ? undefined : decodeURIComponent(username),
      password: password === '' ? undefined : decodeURIComponent(password),
    };
  } catch {
    return undefined;
  }
}

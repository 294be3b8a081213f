import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { readRedisUrl } from '../config/redis-address.js';

/** A client of one server (perhaps found through Sentinels) or of a cluster; commands are the same on both. */
export type RedisConnection = Redis | Cluster;

/** Tries of one command that meets a node which is being replaced, and milliseconds between them. */
const CLUSTER_TRIES = 5;
const CLUSTER_TRY_DELAY_MS = 40;
const MAX_RETRY_MS = 1_000;

/**
 * Connects to the Redis, the Sentinels or the cluster of REDIS_URL.
 *
 * @param url one for which redisUrlFault() returns no fault
 */
export function connectRedis(url: string, options: RedisOptions): RedisConnection {
  const address = readRedisUrl(url);
  if (typeof address === 'string') throw new Error(`REDIS_URL ${address}`);
  // One server's URL may carry further options of ioredis in its query.
  if (address.kind === 'single') return new Redis(url, options);
  const { nodes, username, password, database, isTls, masterName, sentinelPassword } = address;
  const server: RedisOptions = {
    ...options,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isTls && { tls: {} }),
  };
  if (address.kind === 'sentinel') {
    return new Redis({
      ...server,
      sentinels: nodes.map((node) => ({ ...node })),
      name: masterName ?? '',
      db: database,
      enableTLSForSentinelMode: isTls,
      ...(sentinelPassword !== undefined && { sentinelPassword }),
      sentinelRetryStrategy: retryDelay,
      // A server that has become a replica refuses writes; the Sentinels know which one takes them now.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
  }
  const { enableOfflineQueue, enableReadyCheck, ...each } = server;
  return new Cluster(
    nodes.map((node) => ({ ...node })),
    {
      ...(enableOfflineQueue !== undefined && { enableOfflineQueue }),
      ...(enableReadyCheck !== undefined && { enableReadyCheck }),
      clusterRetryStrategy: retryDelay,
      maxRedirections: CLUSTER_TRIES,
      retryDelayOnFailover: CLUSTER_TRY_DELAY_MS,
      retryDelayOnClusterDown: CLUSTER_TRY_DELAY_MS,
      // With TLS a certificate is for the name that a node was asked by, which a node's own list may not have.
      ...(isTls && {
        dnsLookup: (host: string, callback: (error: null, address: string) => void) => callback(null, host),
      }),
      redisOptions: each,
    },
  );
}

/** Milliseconds before Sentinels or a cluster are queried again; without end. */
function retryDelay(times: number): number {
  return Math.min(MAX_RETRY_MS, times * 100);
}

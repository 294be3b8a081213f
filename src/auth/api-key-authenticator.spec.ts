import type { Repository } from 'typeorm';
import { loadConfig } from '../config/load-config.js';
import type { ApiKey } from './api-key.entity.js';
import { Broadcast } from '../cluster/broadcast.js';
import { NoClusterPeers } from '../cluster/cluster-peers.js';
import { SharedRedis } from '../redis/shared-redis.js';
import type { ConsoleUsers } from './users/console-users.service.js';
import { ApiKeyAuthenticator } from './api-key-authenticator.js';
import type { KeyFinder } from './key-finder.js';

const KEY = {
  id: 'key_1',
  name: 'x',
  scopes: ['inference'],
  allowedModels: null,
  revokedAt: null,
  expiresAt: null,
  groupId: null,
  limits: null,
  budget: null,
};

describe('who a key id stands for', () => {
  it('is not cached by a lookup that began before the key was revoked', async () => {
    let row: object = KEY;
    let release: (() => void) | undefined;
    const repository = {
      findOneBy: async () => {
        const seen = row;
        if (release === undefined) {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        return seen;
      },
    } as unknown as Repository<ApiKey>;
    const config = loadConfig({ env: {}, cwd: '/nonexistent' });
    const broadcast = new Broadcast(new SharedRedis(), new NoClusterPeers());
    const check = new ApiKeyAuthenticator(
      repository,
      repository,
      {} as KeyFinder,
      broadcast,
      {} as ConsoleUsers,
      config,
    );
    const early = check.principalOf('key_1');
    row = { ...KEY, revokedAt: 1 };
    check.forget('key_1');
    release?.();
    expect(await early).not.toBeNull();
    expect(await check.principalOf('key_1')).toBeNull();
  });
});

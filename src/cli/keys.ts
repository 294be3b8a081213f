import type { KeyDto } from '../admin/keys/key.dto.js';
import { SCOPES } from '../auth/principal.js';
import { parseDuration } from '../config/units.js';
import { complain, say, UsageError, type Command } from './command.js';

/** Keys of one page, the most that the service gives. */
const KEYS_PER_PAGE = 100;

export const KEYS_CREATE: Command = {
  name: 'keys create',
  summary: 'makes a key and prints it, once',
  usage: '--name <text> [options]',
  options: {
    name: { value: 'text', meaning: 'what the key is for' },
    scope: {
      value: 'scope',
      isRepeatable: true,
      meaning: `${SCOPES.join(', ')}; repeat it for several. Default inference`,
    },
    model: {
      value: 'id',
      isRepeatable: true,
      meaning: 'a model that the key may call, or a prefix such as openai/*; repeat it. Default every model',
    },
    group: { value: 'id', meaning: 'the group that the key belongs to' },
    expires: { value: 'duration', meaning: 'when the key stops working, such as 12h or 30d. Default never' },
    json: { meaning: 'prints the key as JSON' },
  },
  maxWords: 0,
  run: async ({ text, list, flag }) => {
    const { checked, COMMAND_LINE, CreateKeyDto, withKeys } = await import('./key-store.js');
    return withKeys(async (keys) => {
      const expires = text('expires');
      const lifetime = parseDuration(expires);
      if (expires !== undefined && (lifetime === undefined || lifetime < 1_000)) {
        throw new UsageError('--expires must be a duration with its unit, such as 12h or 30d.');
      }
      const name = text('name');
      if (name === undefined) throw new UsageError('--name is missing: say what the key is for.');
      const scopes = list('scope');
      const models = list('model');
      const fields = await checked(CreateKeyDto, {
        name,
        ...(scopes.length > 0 && { scopes }),
        ...(models.length > 0 && { allowed_models: models }),
        ...(text('group') !== undefined && { group_id: text('group') }),
        ...(lifetime !== undefined && { expires_at: Math.ceil((Date.now() + lifetime) / 1_000) }),
      });
      const made = await keys.create(fields, COMMAND_LINE);
      if (flag('json')) say(JSON.stringify(made));
      else say(`${made.key}\n\nid ${made.id}. The key is shown only now, keep it.`);
    });
  },
};

export const KEYS_LIST: Command = {
  name: 'keys list',
  summary: 'lists the keys, without what only their owners have',
  usage: '[options]',
  options: {
    group: { value: 'id', meaning: 'only keys of this group' },
    all: { meaning: 'revoked keys as well' },
    json: { meaning: 'one JSON object a line' },
  },
  maxWords: 0,
  run: async ({ text, flag }) => {
    const { checked, hashRemarksOf, KeyQueryDto, withKeys } = await import('./key-store.js');
    return withKeys(async (keys, app) => {
      const query = await checked(KeyQueryDto, {
        limit: String(KEYS_PER_PAGE),
        ...(text('group') !== undefined && { group_id: text('group') }),
        ...(!flag('all') && { revoked: 'false' }),
      });
      let after: string | undefined;
      let count = 0;
      do {
        const page = await keys.list(Object.assign(new KeyQueryDto(), query, { after }));
        for (const key of page.data) say(flag('json') ? JSON.stringify(key) : printed(key));
        count += page.data.length;
        after = page.has_more ? page.data.at(-1)?.id : undefined;
      } while (after !== undefined);
      if (count === 0 && !flag('json')) say('There are no keys.');
      for (const remark of await hashRemarksOf(app)) complain(remark);
    });
  },
};

export const KEYS_REVOKE: Command = {
  name: 'keys revoke',
  summary: 'ends a key; instances that run notice within 5 seconds',
  usage: '<id>',
  options: {},
  maxWords: 1,
  run: async ({ words }) => {
    const { COMMAND_LINE, withKeys } = await import('./key-store.js');
    return withKeys(async (keys) => {
      const [id] = words;
      if (id === undefined) throw new UsageError('Which key? Give its id, key_..., as llm-gateway keys list shows it.');
      await keys.revoke(id, COMMAND_LINE);
      say(`revoked: ${id}`);
    });
  },
};

function printed({ id, name, scopes, expires_at: expires, revoked_at: revoked }: KeyDto): string {
  const until = expires === null ? '' : `  expires ${new Date(expires * 1_000).toISOString()}`;
  return `${id}  ${scopes.join(',')}${until}${revoked === null ? '' : '  revoked'}  ${name}`;
}

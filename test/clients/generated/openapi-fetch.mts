/** Compiled by `npm run test:contract` beside `schema.ts`, which openapi-typescript makes of the served document. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

const [, , baseUrl = '', adminKey = ''] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${adminKey}` } });

/** The answer, which must be none of the documented errors. */
function answered<Data, Failure>({ data, error }: { data?: Data; error?: Failure }): Data {
  if (data === undefined) throw new Error(`the gateway refused: ${JSON.stringify(error)}`);
  return data;
}

/** The text of a chat completion, which is one of the bodies that a task of a batch can have. */
function textOf(body: components['schemas']['TaskResponse']['body'] | undefined): unknown {
  const choices: unknown = body !== undefined && 'choices' in body ? body.choices : [];
  return (choices as components['schemas']['Choice'][])[0]?.message.content;
}

/** Of a route that also answers in another media type, which is a string. */
function asJson<Data>(data: Data): Exclude<Data, string> {
  assert.notEqual(typeof data, 'string');
  return data as Exclude<Data, string>;
}

const group = answered(await client.POST('/v1/admin/groups', { body: { name: 'contract', budget: null } }));
const names = ['first', 'second', 'third'];
for (const name of names) {
  const key: components['schemas']['KeyWithSecret'] = answered(
    await client.POST('/v1/admin/keys', {
      body: { name, group_id: group.id, limits: { rpm: 100 }, metadata: { owner: name } },
    }),
  );
  assert.match(key.key, /^gw_/);
}
const found: string[] = [];
let after: string | null | undefined;
do {
  const query = { limit: 2, group_id: group.id, ...(typeof after === 'string' && { after }) };
  const page = answered(await client.GET('/v1/admin/keys', { params: { query } }));
  found.push(...page.data.map(({ name }) => name));
  after = page.has_more ? page.next : undefined;
} while (typeof after === 'string');
assert.deepEqual(found.toSorted(), names);
const [first] = answered(await client.GET('/v1/admin/keys', { params: { query: { group_id: group.id } } })).data;
assert.ok(first);
const changed = answered(
  await client.PATCH('/v1/admin/keys/{id}', { params: { path: { id: first.id } }, body: { limits: null } }),
);
assert.equal(changed.limits, null);
assert.equal(answered(await client.GET('/v1/admin/groups')).data[0]?.name, 'contract');

const question = await client.POST('/v1/chat/completions', {
  body: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello' }], user: 'ada' },
});
const completion = asJson(answered(question));
assert.equal(completion.choices[0]?.message.content, 'Say hello');
assert.ok((completion.usage?.total_tokens ?? 0) > 0);
const refused = await client.POST('/v1/chat/completions', {
  body: { model: 'none', messages: [{ role: 'user', content: 'Hi' }] },
});
assert.equal(refused.response.status, 404);
assert.equal(refused.error?.error.code, 'model_not_found');

const submitted = answered(
  await client.POST('/v1/batch/generate', {
    params: { header: { 'Idempotency-Key': 'contract-1' } },
    body: { model: 'sandbox/echo', tasks: ['one', 'two'].map((text) => ({ custom_id: text, prompt: text })) },
  }),
);
// With `dry_run` the response would be an estimate.
assert.ok('job_id' in submitted);
const path = { job_id: submitted.job_id };
let batch = answered(await client.GET('/v1/batch/{job_id}', { params: { path } }));
while (batch.completed_at === null) {
  await sleep(50);
  batch = answered(await client.GET('/v1/batch/{job_id}', { params: { path } }));
}
assert.deepEqual(
  batch.results.map(({ custom_id: id, response }) => [id, textOf(response?.body)]),
  [
    ['one', 'one'],
    ['two', 'two'],
  ],
);
const lines = await client.GET('/v1/batch/{job_id}/results', { params: { path }, parseAs: 'text' });
assert.equal((lines.data as string | undefined)?.trim().split('\n').length, 2);

const ofAda = { params: { query: { user: 'ada' } } };
let records = asJson(answered(await client.GET('/v1/admin/usage/records', ofAda)));
while (records.data.length === 0) {
  await sleep(50);
  records = asJson(answered(await client.GET('/v1/admin/usage/records', ofAda)));
}
assert.equal(records.data[0]?.total_tokens, completion.usage?.total_tokens);
const query = { group_by: 'model', interval: 'none', start: '2026-01-01' } as const;
const rows = asJson(answered(await client.GET('/v1/admin/usage', { params: { query } })));
assert.equal(rows.data[0]?.group, 'sandbox/echo');
console.log('openapi-fetch: keys, groups, chat, batches and usage work');

/** Compiled by `npm run test:contract` beside `sdk/`, which @hey-api/openapi-ts makes of the served document. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { client } from './sdk/client.gen.js';
import * as gateway from './sdk/index.js';

const [, , baseUrl = '', adminKey = ''] = process.argv;
client.setConfig({ baseUrl, auth: adminKey });
const throwOnError = true;

/** The text of a chat completion, which is one of the bodies that a task of a batch can have. */
function textOf(body: gateway.TaskResponse['body'] | undefined): unknown {
  const choices: unknown = body !== undefined && 'choices' in body ? body.choices : [];
  return (choices as gateway.Choice[])[0]?.message.content;
}

const { data: group } = await gateway.createGroup({ body: { name: 'contract' }, throwOnError });
const names = ['first', 'second', 'third'];
for (const name of names) {
  const { data: key } = await gateway.createKey({ body: { name, group_id: group.id, limits: null }, throwOnError });
  assert.match(key.key, /^gw_/);
}
const found: string[] = [];
let after: string | null | undefined;
do {
  const query = { limit: 2, group_id: group.id, ...(typeof after === 'string' && { after }) };
  const { data: page } = await gateway.listKeys({ query, throwOnError });
  found.push(...page.data.map(({ name }) => name));
  after = page.has_more ? page.next : undefined;
} while (typeof after === 'string');
assert.deepEqual(found.toSorted(), names);
const { data: keys } = await gateway.listKeys({ query: { group_id: group.id }, throwOnError });
assert.ok(keys.data[0]);
const path = { id: keys.data[0].id };
const { data: changed } = await gateway.updateKey({ path, body: { metadata: { owner: 'ada' } }, throwOnError });
assert.deepEqual(changed.metadata, { owner: 'ada' });
const { data: groups } = await gateway.listGroups({ throwOnError });
assert.ok(groups.data.some(({ id }) => id === group.id));

const { data: completion } = await gateway.createChatCompletion({
  body: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello' }], user: 'grace' },
  throwOnError,
});
assert.ok(typeof completion === 'object');
assert.equal(completion.choices[0]?.message.content, 'Say hello');
const refused = await gateway.createChatCompletion({
  body: { model: 'none', messages: [{ role: 'user', content: 'Hi' }] },
});
assert.equal(refused.error?.error.code, 'model_not_found');

const tasks = ['one', 'two'].map((text) => ({ custom_id: text, prompt: text }));
const { data: submitted } = await gateway.submitBatch({ body: { model: 'sandbox/echo', tasks }, throwOnError });
// With `dry_run` the response would be an estimate.
assert.ok('job_id' in submitted);
const job = { job_id: submitted.job_id };
let { data: batch } = await gateway.readBatch({ path: job, throwOnError });
while (batch.completed_at === null) {
  await sleep(50);
  ({ data: batch } = await gateway.readBatch({ path: job, throwOnError }));
}
assert.deepEqual(
  batch.results.map(({ response }) => textOf(response?.body)),
  ['one', 'two'],
);

let { data: records } = await gateway.listUsageRecords({ query: { user: 'grace' }, throwOnError });
while (records.data.length === 0) {
  await sleep(50);
  ({ data: records } = await gateway.listUsageRecords({ query: { user: 'grace' }, throwOnError }));
}
assert.equal(records.data[0]?.total_tokens, completion.usage?.total_tokens);
const { data: rows } = await gateway.listUsage({ query: { group_by: 'user', start: '2026-01-01' }, throwOnError });
assert.ok(rows.data.some((row) => row.group === 'grace'));
console.log('hey-api: keys, groups, chat, batches and usage work');

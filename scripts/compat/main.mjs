/**
 * `npm run compat`: coding agents from npm, each doing a turn with tools through the gateway, on every wire format of
 * providers. Agents are installed once, outside the project; the upstreams are scripted and as strict as the providers.
 *
 *   npm run compat -- [--agent codex] [--wire openai-responses] [--upstream anthropic] [--play edit]
 *                     [--direct] [--application folder] [--markdown table.md] [--captures folder] [--timeout 120]
 *
 * `--application` is another built gateway to try. `--direct` leaves the gateway out: each agent on the upstream of its own wire format.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AGENTS } from './agents.mjs';
import { describe, runCell, saveCapture } from './cell.mjs';
import { startGateway } from './gateway.mjs';
import { markdownTable } from './table.mjs';
import { UPSTREAMS } from './upstreams/index.mjs';
import { startUpstream } from './upstreams/server.mjs';

const { values: options } = parseArgs({
  options: {
    agent: { type: 'string', multiple: true },
    wire: { type: 'string', multiple: true },
    upstream: { type: 'string', multiple: true },
    play: { type: 'string', default: 'edit' },
    direct: { type: 'boolean', default: false },
    application: { type: 'string' },
    markdown: { type: 'string' },
    captures: { type: 'string' },
    timeout: { type: 'string', default: '120' },
  },
});

const isChosen = (chosen, name) => chosen === undefined || chosen.includes(name);
const play = /** @type {import('./upstreams/play.mjs').PlayName} */ (options.play);
const timeoutMs = Number(options.timeout) * 1000;

function* cells() {
  for (const agent of AGENTS.filter(({ name }) => isChosen(options.agent, name))) {
    for (const wire of /** @type {import('./agents.mjs').Wire[]} */ (Object.keys(agent.wires))) {
      if (!isChosen(options.wire, wire)) continue;
      for (const upstream of UPSTREAMS) {
        if (options.direct ? upstream.format.name !== wire : !isChosen(options.upstream, upstream.name)) continue;
        yield { agent, wire, upstream };
      }
    }
  }
}

const chosen = [...cells()];
if (chosen.length === 0) throw new Error('no such cell');
const running = new Map();
for (const { upstream } of chosen) {
  if (!running.has(upstream.name)) running.set(upstream.name, await startUpstream(upstream.format));
}
const gateway = options.direct ? undefined : await startGateway(running, options.application);
const results = [];
try {
  for (const { agent, wire, upstream } of chosen) {
    const server = running.get(upstream.name);
    const target = gateway?.targetOf(upstream.name, agent.modelPrefixes?.[wire]) ?? {
      url: server.url,
      key: 'sk-direct',
      model: upstream.model,
    };
    const result = await runCell({
      agent,
      wire,
      upstream: server,
      play,
      target,
      timeoutMs,
      recordsOf: gateway?.recordsOf,
    });
    const name = `${agent.name} ${wire} -> ${upstream.name}`;
    console.log(`${name}: ${describe(result)}`);
    if (options.captures !== undefined)
      saveCapture(options.captures, `${agent.name}-${wire}-${upstream.name}-${play}`, result);
    results.push({ agent, wire, upstream, result });
  }
} finally {
  await gateway?.close();
  for (const server of running.values()) server.close();
}
const table = markdownTable(results);
console.log(`\n${table}`);
if (options.markdown !== undefined) writeFileSync(options.markdown, table);
const failed = results.filter(({ result }) => result.problems.length > 0).length;
console.log(`${results.length - failed} of ${results.length} cells pass`);
process.exitCode = failed > 0 ? 1 : 0;

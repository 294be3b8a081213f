/** One cell of the table: an agent in one wire format, against one upstream. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runAgent, scratchFolder } from './run-agent.mjs';
import { Play } from './upstreams/play.mjs';

const OUTPUT_TAIL_CHARACTERS = 4000;
/** From the end of an agent until the upstream must have noticed that the response is not read. */
const CLOSED_WITHIN_MS = 30_000;

/**
 * @typedef {(model: string) => Promise<import('./gateway.mjs').UsageRecord[]>} RecordsOf
 *
 * @typedef {Awaited<ReturnType<typeof import('./upstreams/server.mjs').startUpstream>>} Upstream
 *
 * @typedef {object} CellResult
 * @property {string[]} problems none where the cell passes
 * @property {string[]} turns what the model was asked for
 * @property {string[]} refusals of requests, where the gateway or the agent recovered
 * @property {number} signaturesMade
 * @property {number} signaturesReturned
 * @property {number} seconds
 * @property {string} output of the agent
 * @property {import('./upstreams/server.mjs').Exchange[]} exchanges
 */

/**
 * Most agents end with an error when the input is too long at once, and some summarize and go on. What counts is that
 * they see why.
 * @param {import('./agents.mjs').Agent} agent @param {Play} play @param {string} output
 */
function hasUnderstoodOverflow(agent, play, output) {
  if (play.name !== 'overflow') return false;
  return agent.overflow?.test(output) === true || (play.isFinished && play.turns.includes('side'));
}

/** @param {Play} play @returns {Promise<boolean>} whether the request that was in the middle of its response has ended */
async function isClosed(play) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(false), CLOSED_WITHIN_MS)));
  const closed = await Promise.race([play.closed.then(() => true), late]);
  clearTimeout(timer);
  return closed;
}

/** Until the gateway has written the record of a call that has ended, and between two looks at it. */
const RECORDED_WITHIN_MS = 30_000;
const RECORD_CHECK_MS = 200;

/**
 * The call whose client has gone away has one usage record, which says so and counts what had arrived by then.
 * @param {RecordsOf} recordsOf
 * @param {{ model: string, wire: string, provider: string | undefined, before: ReadonlySet<string> }} call `before`: ids of older records
 * @returns {Promise<string[]>} what is wrong with it
 */
async function problemsOfRecord(recordsOf, { model, wire, provider, before }) {
  const deadline = performance.now() + RECORDED_WITHIN_MS;
  /** @type {import('./gateway.mjs').UsageRecord[]} */
  let abandoned = [];
  while (abandoned.length === 0 && performance.now() < deadline) {
    await delay(RECORD_CHECK_MS);
    abandoned = (await recordsOf(model)).filter(({ id, status }) => status === 'abandoned' && !before.has(id));
  }
  const [record] = abandoned;
  if (record === undefined) return ['no usage record says that the call was abandoned'];
  const problems = [];
  if (abandoned.length > 1) problems.push(`${abandoned.length} usage records of one abandoned call`);
  if (record.wire_format !== wire) problems.push(`the usage record has the wire format ${record.wire_format}`);
  if (record.provider !== provider) problems.push(`the usage record has the provider ${record.provider}`);
  if (record.prompt_tokens <= 0) problems.push('the usage record has no tokens of the prompt');
  return problems;
}

/** @param {Play} play @param {string} output @returns {string[]} what is missing of a whole turn with tools */
function unfinished(play, output) {
  const problems = [];
  const file = join(play.task.folder, play.task.file);
  if (!existsSync(file)) problems.push('the file does not exist');
  else if (readFileSync(file, 'utf8').trim() !== play.task.line) problems.push('the file has another content');
  if (!play.isFinished) problems.push(`the play ended early: ${play.turns.join(', ') || 'no turn'}`);
  if (!output.includes(play.finalText)) problems.push('the final text is not in the output of the agent');
  return problems;
}

/**
 * @param {object} cell
 * @param {import('./agents.mjs').Agent} cell.agent
 * @param {import('./agents.mjs').Wire} cell.wire
 * @param {Upstream} cell.upstream
 * @param {import('./upstreams/play.mjs').PlayName} cell.play
 * @param {{ url: string, key: string, model: string, provider?: string }} cell.target `provider`: of the gateway, if there is one
 * @param {number} cell.timeoutMs
 * @param {RecordsOf} [cell.recordsOf] of the gateway, if there is one
 * @returns {Promise<CellResult>}
 */
export async function runCell({ agent, wire, upstream, play: name, target, timeoutMs, recordsOf }) {
  const folder = scratchFolder();
  const play = new Play(name, folder);
  upstream.begin(play);
  const before = new Set(name === 'abort' ? (await recordsOf?.(target.model))?.map(({ id }) => id) : []);
  const started = performance.now();
  try {
    const setup = agent.wires[wire]({ ...target, prompt: play.prompt });
    const user = new AbortController();
    play.onHeld = () => user.abort();
    const { status, timedOut, output } = await runAgent(agent, setup, { folder, timeoutMs, signal: user.signal });
    const problems = [...play.problems];
    if (upstream.exchanges.length === 0) problems.push('no request reached the upstream');
    if (timedOut) problems.push(`stopped after ${timeoutMs / 1000} s`);
    if (name === 'abort') {
      if (!user.signal.aborted) problems.push('no response was begun');
      else if (!(await isClosed(play))) problems.push('the upstream goes on after the agent has ended');
      else if (recordsOf !== undefined) {
        const call = { model: target.model, wire, provider: target.provider, before };
        problems.push(...(await problemsOfRecord(recordsOf, call)));
      }
    } else if (!hasUnderstoodOverflow(agent, play, output)) {
      const missing = unfinished(play, output);
      if (missing.length > 0) problems.push(...new Set(play.refusals), ...missing);
      if (status !== 0 && !timedOut) problems.push(`the agent ended with status ${status}`);
    }
    return {
      problems,
      turns: play.turns,
      refusals: play.refusals,
      signaturesMade: play.signatures.size,
      signaturesReturned: play.signaturesReturned.size,
      seconds: (performance.now() - started) / 1000,
      output,
      exchanges: [...upstream.exchanges],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Writes what went over the wire, for the analysis of a failure.
 * @param {string} folder
 * @param {string} name
 * @param {CellResult} result
 */
export function saveCapture(folder, name, result) {
  mkdirSync(folder, { recursive: true });
  const { output, ...rest } = result;
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(rest, undefined, 1));
  writeFileSync(join(folder, `${name}.txt`), output);
}

/** @param {CellResult} result */
export function describe({ problems, turns, refusals, signaturesMade, signaturesReturned, seconds, output }) {
  const signatures = signaturesMade === 0 ? '' : `, signatures ${signaturesReturned} of ${signaturesMade}`;
  const recovered = refusals.map((each) => `\n  recovered: ${each}`).join('');
  if (problems.length === 0) return `pass in ${seconds.toFixed(0)} s (${turns.join(', ')}${signatures})${recovered}`;
  return `FAIL in ${seconds.toFixed(0)} s (${turns.join(', ')}${signatures})\n  ${problems.join('\n  ')}\n  output: ${output.slice(-OUTPUT_TAIL_CHARACTERS).trim()}`;
}

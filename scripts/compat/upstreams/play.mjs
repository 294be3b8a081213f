/**
 * What a scripted model does, whichever wire format it is asked in: it writes a file with the agent's own tool, looks at
 * the file with two calls at the same time, and ends with a text. Which turn it is follows from the history alone, so that
 * an agent's other requests (titles, summaries, model checks) do not disturb it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instanceOf } from './schema-instance.mjs';
import { callThatWrites, callsThatRead } from './tool-calls.mjs';

/** An agent that asks more often than this in one run goes round in circles. */
const MAX_REQUESTS = 30;

/**
 * @typedef {object} Conversation what a wire format reads from a request
 * @property {import('./tool-calls.mjs').Tool[]} tools
 * @property {{ id: string, name: string, arguments: any }[]} calls all calls of the history
 * @property {{ id: string, text: string }[]} results all results of the history
 * @property {string} text everything that a user wrote
 * @property {any} [schema] of the output, where one is asked for
 * @property {boolean} parallel whether several calls in one turn are allowed
 *
 * @typedef {object} ModelResponse what the model says
 * @property {string | undefined} thinking
 * @property {string} text
 * @property {(import('./tool-calls.mjs').ToolCall & { id: string })[]} calls
 *
 * @typedef {'edit' | 'overflow' | 'rate-limit' | 'overload' | 'abort'} PlayName
 */

/** @param {string} text */
const escape = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

export class Play {
  /** Faults of the gateway or of the agent that the upstream noticed. @type {string[]} */
  problems = [];
  /** Requests that the real provider would refuse. The gateway may recover from them. @type {string[]} */
  refusals = [];
  /** What was answered, in order, for the report. @type {string[]} */
  turns = [];
  /** Signatures of thinking that this model made. @type {Map<string, string>} */
  signatures = new Map();
  /** Those that came back. @type {Set<string>} */
  signaturesReturned = new Set();
  /** Ids of calls that this model made. @type {Set<string>} */
  callIds = new Set();
  isFinished = false;
  /** Called when half of a response has been sent and no more follows: `abort` ends the agent then. @type {(() => void) | undefined} */
  onHeld;
  /** Resolves when the request of that response has been closed from the other side. @type {Promise<void>} */
  closed;
  /** @type {() => void} */
  #resolveClosed = () => undefined;
  #requests = 0;
  #faultsLeft;

  /**
   * @param {PlayName} name
   * @param {string} folder where the agent works
   */
  constructor(name, folder) {
    this.name = name;
    const nonce = randomBytes(4).toString('hex');
    this.task = { folder, file: `note-${nonce}.txt`, line: `written by the agent ${nonce}` };
    this.finalText = `FINISHED-${nonce}`;
    this.prompt = `Create the file ${this.task.file} in the current folder. Its only line is: ${this.task.line}`;
    this.#faultsLeft = name === 'edit' ? 0 : 1;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  /** Half of a response has been sent. @param {import('node:http').ServerResponse} response */
  hold(response) {
    response.once('close', () => this.#resolveClosed());
    this.onHeld?.();
  }

  /** A signature as providers make them: base64 with all of its letters. */
  sign(thinking) {
    const signature = `${randomBytes(96).toString('base64')}+/==`.replace(/=*\+\/==$/, '+/A=');
    this.signatures.set(signature, thinking);
    return signature;
  }

  /** Whether a signature that came back is one of this model's; remembers it. */
  knowsSignature(signature) {
    if (!this.signatures.has(signature)) return false;
    this.signaturesReturned.add(signature);
    return true;
  }

  /** The fault that this request meets, if any: the first request that offers the tools, once. */
  fault(conversation) {
    if (this.#faultsLeft === 0 || callThatWrites(conversation.tools, this.task) === undefined) return undefined;
    this.#faultsLeft -= 1;
    this.turns.push(this.name);
    return this.name;
  }

  /**
   * @param {Conversation} conversation
   * @param {(custom: boolean) => string} newId makes an id of a call in the provider's alphabet
   * @returns {ModelResponse}
   */
  respond(conversation, newId) {
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) this.#problem('the agent asks again and again');
    const respond = this.#decide(conversation);
    const calls = respond.calls.map((call) => ({ ...call, id: newId(call.custom) }));
    for (const { id } of calls) this.callIds.add(id);
    this.turns.push(calls.length > 0 ? calls.map(({ name }) => name).join('+') : respond.kind);
    return { thinking: respond.thinking, text: respond.text, calls };
  }

  #decide(conversation) {
    const { tools, schema } = conversation;
    const write = callThatWrites(tools, this.task);
    const isTask = new RegExp(escape(this.task.file)).test(conversation.text);
    if (write === undefined || !isTask) {
      const text = schema === undefined ? 'A short text' : JSON.stringify(instanceOf(schema));
      return { kind: 'side', thinking: undefined, text, calls: [] };
    }
    const own = conversation.calls.filter((each) => JSON.stringify(each.arguments).includes(this.task.file));
    if (own.length === 0)
      return { kind: 'write', thinking: 'The file has to be written.', text: 'I write it.', calls: [write] };
    this.#checkResults(conversation, own);
    const reads = callsThatRead(tools, this.task, conversation.parallel ? 2 : 1);
    if (own.length === 1 && reads.length > 0) {
      this.#checkFile();
      return { kind: 'read', thinking: 'Now the file has to be looked at.', text: '', calls: reads };
    }
    if (reads.length > 0 && !conversation.results.some(({ text }) => text.includes(this.task.line))) {
      this.#problem(
        `no result shows the file: ${JSON.stringify(conversation.results.map(({ text }) => text.slice(0, 200)))}`,
      );
    }
    this.isFinished = true;
    return { kind: 'final', thinking: undefined, text: this.finalText, calls: [] };
  }

  #checkResults({ results }, own) {
    for (const { id, name } of own) {
      const found = results.filter((each) => each.id === id);
      if (found.length !== 1) this.#problem(`the call ${name} ${id} has ${found.length} results`);
    }
  }

  #checkFile() {
    const path = join(this.task.folder, this.task.file);
    if (!existsSync(path)) this.#problem('the file was not written when the result came');
    else if (readFileSync(path, 'utf8').trim() !== this.task.line) this.#problem('the file has another content');
  }

  #problem(text) {
    if (!this.problems.includes(text)) this.problems.push(text);
  }
}

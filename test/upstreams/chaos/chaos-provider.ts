import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProviderFile } from '../../fixtures/gateway-config.js';
import { seededRandom } from '../../fixtures/disruptions.js';
import type { ProviderAttempt } from '../../chaos/call-history.js';
import type { Asked, JsonBody, ModelResponse } from '../native-formats/wire-format.js';
import { chooseFault, type Fault } from './faults.js';
import { FORMS, type ProviderForm } from './provider-forms.js';
import { promptedRequest, rightResponse, type PromptedRequest } from './right-response.js';
import { beforeResponse } from './failed-starts.js';
import { restOf } from './prefilled.js';
import { sendStream } from './faulty-stream.js';

/** A model that meets no fault and responds when it is released. */
export const CALM = 'calm';
const SLOW_FIRST_BYTE_MS = 300;
const CHOICES_OF_SEVERAL = 2;

export interface ChaosOptions {
  readonly name: string;
  readonly form: ProviderForm;
  readonly seed: number;
  /** Of requests that meet a fault. */
  readonly faultShare: number;
  readonly refusesPrefill: boolean;
}

/** One request of the gateway on its way through the provider. */
export interface Serving {
  readonly response: ServerResponse;
  readonly attempt: ProviderAttempt;
  readonly random: () => number;
  readonly options: ChaosOptions;
  readonly asked: Asked;
  /** What it sends, unless a fault changes it. */
  readonly right: ModelResponse;
  readonly choices: number;
}

/** A provider of one format that fails by chance, and keeps what each request of the gateway got and is billed. */
export class ChaosProvider {
  readonly attempts: ProviderAttempt[] = [];
  /** Requests of the calm model that wait. */
  waiting = 0;
  private readonly live = new Set<ProviderAttempt>();
  private server: Server | undefined;
  private port = 0;
  private releaseCalm: () => void = () => undefined;
  private calm = Promise.resolve();

  constructor(readonly options: ChaosOptions) {}

  async start(): Promise<void> {
    this.server = createServer(
      (request, response) => void this.serve(request, response).catch(() => response.destroy()),
    );
    this.server.keepAliveTimeout = 60_000;
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Refuses connections, and breaks those that are open. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    for (const attempt of this.live) attempt.isBroken = true;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  /** The provider in gateway.yaml. */
  get config(): ProviderFile {
    const { form } = this.options;
    const type = { chat: 'openai', messages: 'anthropic', gemini: 'google' }[form];
    const base_url = `http://127.0.0.1:${this.port}${FORMS[form].basePath}`;
    return { type, base_url, api_key: 'native-key', list_models: false };
  }

  /** Lets requests of the calm model wait. @returns lets them go on */
  holdCalm(): () => void {
    this.calm = new Promise((resolve) => (this.releaseCalm = resolve));
    return this.releaseCalm;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    const { format, prefillOf } = FORMS[this.options.form];
    const parsed = JSON.parse(body) as JsonBody;
    const asked = format.read(request.url ?? '', parsed, request.headers);
    const prompted = promptedRequest(body);
    if (typeof asked === 'string' || prompted === undefined) {
      const message = typeof asked === 'string' ? asked : 'a prompt of another run';
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(format.error(400, message)));
      return;
    }
    const serving = this.begin(prompted, asked, parsed, response);
    if (asked.model.includes(CALM)) {
      this.waiting += 1;
      await this.calm;
      this.waiting -= 1;
    }
    const prefill = prefillOf(parsed);
    if (prefill !== undefined && this.options.refusesPrefill) {
      const message = 'This model does not support assistant message prefill.';
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(format.error(400, message)));
      return;
    }
    if (await beforeResponse(serving)) return;
    if (serving.attempt.fault === 'slow first byte') await pause(SLOW_FIRST_BYTE_MS);
    if (asked.stream) await sendStream(serving);
    else sendWhole(serving);
  }

  private begin(prompted: PromptedRequest, asked: Asked, body: JsonBody, response: ServerResponse): Serving {
    const { options, attempts } = this;
    const before = attempts.filter(({ id }) => id === prompted.id).length;
    const random = seededRandom(options.seed * 31 + prompted.id * 1_009 + before * 77 + options.name.charCodeAt(0));
    const isCalm = asked.model.includes(CALM);
    const chosen: Fault = isCalm ? 'none' : chooseFault(random, asked.stream, options.faultShare);
    // A call of a tool has no shorter form.
    const isCut = chosen === 'content filter' || chosen === 'length';
    const fault = isCut && prompted.kind === 'tool' ? 'none' : chosen;
    const whole = rightResponse(prompted);
    const prefill = FORMS[options.form].prefillOf(body);
    const rest = prefill === undefined ? whole : restOf(whole, prefill, random);
    const attempt: ProviderAttempt = {
      id: prompted.id,
      provider: options.name,
      order: performance.now(),
      fault,
      isStream: asked.stream,
      isWrongPrefill: rest === undefined,
      promptTokens: 0,
      completionTokens: 0,
      isReported: false,
      // The rest of a request may be read although an outage has closed its connection.
      isBroken: this.server === undefined || response.destroyed,
      end: undefined,
    };
    attempts.push(attempt);
    this.live.add(attempt);
    response.once('close', () => this.live.delete(attempt));
    const choices = body['n'] === CHOICES_OF_SEVERAL ? CHOICES_OF_SEVERAL : 1;
    return { response, attempt, random, options, asked, right: shortened(rest ?? whole, fault, random), choices };
  }
}

/** A response that ends early for a reason that its format has. */
function shortened(response: ModelResponse, fault: Fault, random: () => number): ModelResponse {
  if ((fault !== 'content filter' && fault !== 'length') || response.words.length < 2) return response;
  const words = response.words.slice(0, 1 + Math.floor(random() * (response.words.length - 1)));
  return { ...response, words, usage: { ...response.usage, completion: words.length } };
}

function sendWhole({ response, attempt, random, options, asked, right, choices }: Serving): void {
  const { format, reasons } = FORMS[options.form];
  const usage = { ...right.usage, completion: right.usage.completion * choices };
  const whole = format.whole({ ...right, usage }, asked) as JsonBody;
  const listed = whole['choices'] as readonly JsonBody[] | undefined;
  const body =
    listed === undefined || choices === 1
      ? whole
      : { ...whole, choices: [0, 1].map((index) => ({ ...listed[0], index })) };
  attempt.promptTokens = usage.prompt;
  attempt.completionTokens = usage.completion;
  const end = attempt.fault === 'content filter' || attempt.fault === 'length' ? attempt.fault : 'stop';
  const bytes = Buffer.from(JSON.stringify(body).replace(reasons.stop, reasons[end]));
  if (attempt.fault === 'truncated JSON') {
    // With no byte at all it is the fault of an empty body.
    const cut = 1 + Math.floor(random() * (bytes.length - 1));
    const isHonest = random() < 0.5;
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(isHonest && { 'content-length': bytes.length }),
    });
    response.write(bytes.subarray(0, cut), () => (isHonest ? response.destroy() : response.end()));
    return;
  }
  attempt.isReported = true;
  attempt.end = end;
  response.writeHead(200, { 'content-type': 'application/json' }).end(bytes);
}

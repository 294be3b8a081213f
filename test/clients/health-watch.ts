import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** In a thread of its own, so that what the test itself does is not taken for a stall of the gateway. */
const WATCH = `
const { parentPort, workerData } = require('node:worker_threads');
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
let worst = 0;
let begun = 0;
const ask = () => {
  begun = performance.now();
  const settle = () => {
    worst = Math.max(worst, performance.now() - begun);
    begun = 0;
    setTimeout(ask, 5);
  };
  http.get(workerData, { agent }, (response) => response.resume().on('end', settle)).on('error', settle);
};
parentPort.on('message', (message) => {
  if (message === 'stop') process.exit(0);
  if (message === 'reset') worst = 0;
  else worst = Math.max(worst, begun === 0 ? 0 : performance.now() - begun);
  parentPort.postMessage(worst);
});
ask();
`;

/** Requests /health/live of a gateway without end, and reports the slowest response. */
export class HealthWatch {
  private readonly worker: Worker;

  constructor(gatewayUrl: string) {
    this.worker = new Worker(WATCH, { eval: true, workerData: `${gatewayUrl}/health/live` });
  }

  /** The longest answer in milliseconds while `work` ran. */
  async during(work: () => Promise<unknown>): Promise<number> {
    await this.ask('reset');
    await work();
    return this.ask('worst');
  }

  async stop(): Promise<void> {
    const exited = once(this.worker, 'exit');
    this.worker.postMessage('stop');
    await exited;
  }

  private async ask(message: string): Promise<number> {
    const answered = once(this.worker, 'message') as Promise<[number]>;
    this.worker.postMessage(message);
    const [worst] = await answered;
    return worst;
  }
}

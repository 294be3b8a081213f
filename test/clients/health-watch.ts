import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** In a thread of its own, so that what the test itself does is not taken for a stall of the gateway. */
const WATCH = `
const { parentPort, workerData } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
const { url, pid } = workerData;
// In milliseconds: CPU time of the main thread.
const cpuTime = () => Number(readFileSync('/proc/' + pid + '/task/' + pid + '/schedstat', 'utf8').split(' ')[0]) / 1e6;
let worst = 0;
let begun;
const settle = () => {
  if (begun !== undefined) worst = Math.max(worst, Math.min(cpuTime() - begun.cpuTime, performance.now() - begun.at));
};
const ask = () => {
  begun = { cpuTime: cpuTime(), at: performance.now() };
  const next = () => {
    settle();
    begun = undefined;
    setTimeout(ask, 5);
  };
  http.get(url, { agent }, (response) => response.resume().on('end', next)).on('error', next);
};
parentPort.on('message', (message) => {
  if (message === 'stop') process.exit(0);
  if (message === 'reset') worst = 0;
  else settle();
  parentPort.postMessage(worst);
});
ask();
`;

/**
 * Requests /health/live of a gateway without end, and reports how long its event loop was held up: the most CPU time that its main
 * thread spent while one such request waited. Other work on the machine delays the response and is no part of that time.
 */
export class HealthWatch {
  private readonly worker: Worker;

  constructor({ url, pid }: { readonly url: string; readonly pid: number }) {
    this.worker = new Worker(WATCH, { eval: true, workerData: { url: `${url}/health/live`, pid } });
  }

  /** The longest stall in milliseconds of CPU time while `work` ran. */
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
    const received = once(this.worker, 'message') as Promise<[number]>;
    this.worker.postMessage(message);
    const [worst] = await received;
    return worst;
  }
}

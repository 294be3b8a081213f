import { endProcesses } from './started-processes.mjs';

export default async function tearDown() {
  endProcesses();
  await globalThis.testPostgres?.stop();
}

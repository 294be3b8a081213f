import { rmSync } from 'node:fs';
import { endProcesses } from './started-processes.mjs';

export default async function tearDown() {
  endProcesses();
  const folder = globalThis.testDocumentFolder;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  await globalThis.testPostgres?.stop();
}

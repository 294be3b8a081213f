/** Clients that are generated of the document: they compile in strict mode, and do against the gateway what people do with them. */
import { copyFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Scene
 * @property {string} root folder of the project
 * @property {string} folder with openapi.json, for what is generated
 * @property {string} tools folder of the tools of npm
 * @property {string} url of the gateway
 * @property {string} adminKey
 * @property {(name: string, command: string, args: readonly string[], settings?: object) => Promise<boolean>} run
 * @property {(name: string, command: string, args: readonly string[]) => Promise<boolean>} tool
 */

/** @param {Scene} scene */
export async function tryTypeScriptClients({ root, folder, tools, url, adminKey, run, tool }) {
  // Without the option it takes fields that have a default for required ones, in requests as well.
  const typed = ['openapi.json', '-o', 'schema.ts', '--default-non-nullable=false'];
  const isTyped = await tool('openapi-typescript', 'openapi-typescript/bin/cli.js', typed);
  const hey = ['-i', 'openapi.json', '-o', 'sdk', '--no-log-file'];
  const isGenerated = await tool('@hey-api/openapi-ts', '@hey-api/openapi-ts/bin/run.js', hey);
  if (!isTyped || !isGenerated) return;
  const options = {
    target: 'es2023',
    module: 'nodenext',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    exactOptionalPropertyTypes: false,
    outDir: 'compiled',
  };
  const files = ['openapi-fetch.mts', 'hey-api.mts'];
  for (const file of files) copyFileSync(join(root, 'test/clients/generated', file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  symlinkSync(join(tools, 'node_modules'), join(folder, 'node_modules'));
  if (!(await tool('compile the clients', 'typescript/bin/tsc', ['-p', 'tsconfig.json']))) return;
  for (const client of ['openapi-fetch', 'hey-api']) {
    await run(`the client of ${client}`, process.execPath, [join(folder, 'compiled', `${client}.mjs`), url, adminKey]);
  }
}

/**
 * @param {Scene} scene
 * @param {string} python folder of the programs of Python
 */
export async function tryPythonClient({ root, folder, url, adminKey, run }, python) {
  writeFileSync(join(folder, 'python.yaml'), 'package_name_override: gateway_client\npost_hooks: []\n');
  const generate = ['generate', '--path', 'openapi.json', '--meta', 'none', '--output-path', 'gateway_client'];
  const args = [...generate, '--config', 'python.yaml'];
  if (!(await run('openapi-python-client', join(python, 'openapi-python-client'), args))) return;
  copyFileSync(join(root, 'test/clients/generated/python_client.py'), join(folder, 'python_client.py'));
  // What the generator writes is its own; faults of it are not shown.
  const strict = ['--strict', '--follow-imports', 'silent', 'python_client.py'];
  await run('mypy --strict', join(python, 'mypy'), strict);
  await run('the client of openapi-python-client', join(python, 'python'), ['python_client.py', url, adminKey]);
}

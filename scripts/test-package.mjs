#!/usr/bin/env node
/**
 * `npm run test:package`: packs the project, installs the package into an empty folder from the registry, and runs it there: the
 * command, a start on SQLite, and what is said where SQLite's library is missing. It takes minutes, so `npm test` does not do it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gateway-package-'));

function run(command, args, cwd = folder) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/**
 * @param {boolean} isTrue
 * @param {string} what
 * @param {{ stdout?: string, stderr?: string }} [output]
 */
function assert(isTrue, what, { stdout, stderr } = {}) {
  console.log(`${isTrue ? 'ok  ' : 'FAIL'}  ${what}`);
  if (isTrue) return;
  console.log(stdout ?? '', stderr ?? '');
  process.exitCode = 1;
}

/**
 * Starts it on a free port, and ends it once it listens and the work is done.
 *
 * @param {(output: string) => Promise<void>} work
 */
async function starts(work) {
  const child = spawn('npx', ['llm-gateway', 'start', '--port', '0'], { cwd: folder, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const listening = new Promise((resolve) => {
    child.stdout.on('data', () => output.includes('"msg":"listening"') && resolve());
  });
  await Promise.race([listening, exited]);
  if (child.exitCode === null) await work(output);
  if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  await exited;
  return output;
}

/**
 * A batch from a new user's command line: tasks from standard input, and the results in a file.
 *
 * @param {string} output of the gateway that listens
 */
async function runsBatch(output) {
  const line = output.split('\n').find((each) => each.includes('"msg":"listening"')) ?? '{}';
  const { url } = JSON.parse(line);
  const adminKey = /shown only now[^:]*: (\S+)/.exec(output)?.[1] ?? '';
  const made = await fetch(`${url}/v1/admin/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'package' }),
  });
  const { key = '' } = /** @type {{ key?: string }} */ (await made.json());
  const submit = ['llm-gateway', 'batch', 'submit', '-', '--model', 'sandbox/echo', '--output', 'results.jsonl'];
  const child = spawn('npx', submit, { cwd: folder, env: { ...process.env, GATEWAY_URL: url, GATEWAY_API_KEY: key } });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => (printed[name] += text));
  child.stdin.end('"Say hello to Ada."\n{"custom_id":"grace","prompt":"Say hello to Grace."}\n');
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert(code === 0 && printed.stdout.includes('2 results, 2 succeeded'), 'npx llm-gateway batch submit -', printed);
  const results = readFileSync(join(folder, 'results.jsonl'), 'utf8').trimEnd().split('\n');
  assert(results.length === 2 && results[1].includes('"grace"'), 'the results are in a file', {
    stdout: results.join('\n'),
  });
  assert(!existsSync(join(folder, 'results.jsonl.part')), 'and no part of a download is left');
}

try {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const tarball = packed.stdout.trim().split('\n').at(-1) ?? '';
  assert(packed.status === 0 && tarball.endsWith('.tgz'), 'npm pack', packed);
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const installed = run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', join(folder, tarball)]);
  assert(installed.status === 0, 'npm install of the package in an empty folder', installed);
  const version = run('npx', ['llm-gateway', '--version']);
  assert(/^\d+\.\d+\.\d+\n$/.test(version.stdout), 'npx llm-gateway --version', version);
  const doctor = run('npx', ['llm-gateway', 'doctor', '--offline']);
  assert(doctor.status === 0, 'npx llm-gateway doctor', doctor);
  writeFileSync(join(folder, 'gateway.yaml'), 'sandbox: true\n');
  const output = await starts(runsBatch);
  assert(/Admin key \(shown only now/.test(output) && output.includes('listening'), 'npx llm-gateway start', {
    stdout: output,
  });
  const library = join(folder, 'node_modules/better-sqlite3');
  const libraryOfNode22 = `${library}-13`;
  for (const [what, paths] of /** @type {const} */ ([
    ['the binary', [join(library, 'build'), join(libraryOfNode22, 'prebuilds')]],
    ['the whole package', [library, libraryOfNode22]],
  ])) {
    for (const path of paths) rmSync(path, { recursive: true, force: true });
    const { status, stdout, stderr } = run('npx', ['llm-gateway', 'migrate']);
    const isClear = status === 1 && stderr.includes('npm rebuild better-sqlite3') && !/\n\s+at /.test(stderr);
    assert(isClear, `without ${what} of SQLite it says what to do`, { stdout, stderr });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

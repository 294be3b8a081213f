#!/usr/bin/env node
/**
 * Writes dist/sbom.cdx.json: what the production installation consists of, as CycloneDX, with the hashes of package-lock.json.
 * `npm sbom --omit=dev` leaves out what development packages depend on as well, so npm gets a project without any of those.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const { devDependencies = {}, ...manifest } = read('package.json');
const { packages, ...lock } = read('package-lock.json');
const production = Object.fromEntries(Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev));
const { devDependencies: _left, ...lockedManifest } = packages[''];

/** `$name` in an override means the version of a direct dependency, which may be one for development. */
function resolved(overrides = {}) {
  const direct = { ...devDependencies, ...manifest.dependencies };
  return Object.fromEntries(
    Object.entries(overrides).map(([name, version]) => [
      name,
      version.startsWith('$') ? direct[version.slice(1)] : version,
    ]),
  );
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'gateway-sbom-'));
let document;
try {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, overrides: resolved(manifest.overrides) }));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...lock, packages: { '': lockedManifest, ...production } }),
  );
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) fail(stderr);
  document = JSON.parse(stdout);
} finally {
  rmSync(folder, { recursive: true });
}
document.metadata.component.name = manifest.name;

const hashes = new Set(document.components.flatMap(({ hashes = [] }) => hashes.map(({ content }) => content)));
const missing = Object.entries(production).filter(
  ([, { integrity = '' }]) => !hashes.has(Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')),
);
if (missing.length > 0) fail(`the SBOM lacks ${missing.map(([path]) => path).join(', ')}`);
mkdirSync(join(root, 'dist'), { recursive: true });
writeFileSync(join(root, 'dist/sbom.cdx.json.draft'), JSON.stringify(document, null, 2));
renameSync(join(root, 'dist/sbom.cdx.json.draft'), join(root, 'dist/sbom.cdx.json'));
console.error(`${document.components.length} components in dist/sbom.cdx.json`);

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configPath, readConfigFile, replaceConfigFile, unwritableReason } from './config-file.js';

describe('the replacement of gateway.yaml', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'config-file-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('keeps permissions and leaves no draft', () => {
    const path = join(folder, 'gateway.yaml');
    writeFileSync(path, 'before');
    chmodSync(path, 0o664);
    replaceConfigFile('now', path);
    expect(readConfigFile(path)).toBe('now');
    expect(statSync(path).mode & 0o777).toBe(0o664);
    expect(readdirSync(folder)).toEqual(['gateway.yaml']);
  });

  it('replaces what a link leads to, and not the link', () => {
    const target = join(folder, 'real.yaml');
    const path = join(folder, 'gateway.yaml');
    writeFileSync(target, 'before');
    symlinkSync(target, path);
    replaceConfigFile('now', path);
    expect(readFileSync(target, 'utf8')).toBe('now');
    expect(readdirSync(folder).sort()).toEqual(['gateway.yaml', 'real.yaml']);
  });

  it('changes nothing where it fails', () => {
    const path = join(folder, 'gateway.yaml');
    mkdirSync(path);
    expect(() => replaceConfigFile('now', path)).toThrow();
    expect(readdirSync(folder)).toEqual(['gateway.yaml']);
  });

  it('says why it is not possible', () => {
    const path = join(folder, 'gateway.yaml');
    expect(unwritableReason(path)).toBe('There is no gateway.yaml.');
    expect(readConfigFile(path)).toBeUndefined();
    writeFileSync(path, 'before');
    expect(unwritableReason(path)).toBeUndefined();
    expect(configPath(' other.yaml ')).toBe(join(process.cwd(), 'other.yaml'));
  });
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { isEmpty, settleTime, watchConfig, type ConfigListener, type ReloadReason } from './watch-config.js';

const WHOLE = 'sandbox: true\nexpose: [a]\n';

describe('how long a file must stay the same', () => {
  it('is longer for every beginning of the text before, and for a text that stops in the middle of a line', () => {
    const usual = settleTime('sandbox: false\n', WHOLE);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: WHOLE.length - 1 }), fc.string(), (length, other) => {
        expect(settleTime(WHOLE.slice(0, length), WHOLE)).toBeGreaterThan(usual);
        expect(settleTime(`x: ${other.replaceAll('\n', '')}`, WHOLE)).toBeGreaterThan(usual);
        expect(settleTime(`${WHOLE}x: 1\n`, WHOLE)).toBe(usual);
      }),
    );
  });
});

it.each([
  [undefined, true],
  ['', true],
  [' \n\t\n', true],
  ['# nothing\n---\n  # more\r\n', true],
  ['sandbox: true', false],
  ['# a\n{}\n', false],
])('a file of %j says nothing: %s', (text, empty) => {
  expect(isEmpty(text)).toBe(empty);
});

describe('a configuration file that changes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'watch-config-'));
  const path = join(folder, 'gateway.yaml');
  afterAll(() => rmSync(folder, { recursive: true }));

  async function outcomeOf(change: () => void): Promise<[string, ReloadReason, boolean | string]> {
    writeFileSync(path, WHOLE);
    let stop: (() => void) | undefined;
    try {
      return await new Promise((resolve) => {
        const listener: ConfigListener = {
          onChange: (reason, isUnchanged) => resolve(['taken', reason, isUnchanged()]),
          onRefused: (reason, fault) => resolve(['refused', reason, fault]),
        };
        stop = watchConfig(path, listener, false);
        change();
        process.emit('SIGHUP', 'SIGHUP');
      });
    } finally {
      stop?.();
    }
  }

  it('is taken when it is whole', async () => {
    expect(await outcomeOf(() => writeFileSync(path, 'sandbox: false\n'))).toEqual(['taken', 'SIGHUP', true]);
    const replaced = await outcomeOf(() => {
      writeFileSync(`${path}.new`, 'sandbox: false\n');
      renameSync(`${path}.new`, path);
    });
    expect(replaced).toEqual(['taken', 'SIGHUP', true]);
  });

  it('is taken after the last write of a slow writer, not in the middle of it', async () => {
    const texts: string[] = [];
    const outcome = await outcomeOf(() => {
      writeFileSync(path, 'sand');
      let writes = 0;
      const timer = setInterval(() => {
        writes += 1;
        texts.push('x');
        writeFileSync(path, writes === 8 ? 'x\n' : 'x', { flag: 'a' });
        if (writes === 8) clearInterval(timer);
      }, 100);
    });
    expect(outcome).toEqual(['taken', 'SIGHUP', true]);
    expect(texts).toHaveLength(8);
  });

  it.each(['', '\n', '# gone\n'])('is refused when it is %j', async (text) => {
    const outcome = await outcomeOf(() => writeFileSync(path, text));
    expect(outcome).toEqual(['refused', 'SIGHUP', expect.stringContaining('is empty')]);
  });

  it('is refused when it is gone', async () => {
    expect(await outcomeOf(() => rmSync(path))).toEqual(['refused', 'SIGHUP', expect.stringContaining('not there')]);
  });
});

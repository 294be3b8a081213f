import { readFileSync } from 'node:fs';
import { AGENTS } from './exports.mjs';

/** Settings that keep an agent quiet in a test, which a user does not need. */
const TEST_ONLY = /DISABLE|OFFLINE|TELEMETRY|AUTO_UPDATED|^GEMINI_MODEL$|^OPENAI_MODEL$/;
const target = { url: 'http://127.0.0.1:3000', key: 'gw_...', model: 'fast', prompt: 'Say hello.' };
const page = readFileSync('docs/clients.md', 'utf8');

describe.each(AGENTS)('docs/clients.md on $name', (agent) => {
  const section = page.split(/^### /m).find((each) => each.includes(`\`${agent.package}\` ${agent.version}`)) ?? '';

  test('has the version that was run', () => {
    expect(section).not.toBe('');
  });

  test.each(Object.keys(agent.wires))('has each variable and file of the setup for %s', (wire) => {
    const { env = {}, files = {} } = agent.wires[wire]!(target);
    const names = Object.keys(env).filter((name) => !TEST_ONLY.test(name));
    expect([...names, ...Object.keys(files)].filter((name) => !section.includes(name))).toEqual([]);
  });
});

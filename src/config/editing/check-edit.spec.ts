import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { staticSettings } from '../gateway-config.js';
import { loadConfig } from '../load-config.js';
import { readYaml } from '../yaml-source.js';
import { CLOUD_KEYS } from '../../providers/definitions/types/connection.js';
import { PROCESS_SECTIONS, ROUTING_SECTIONS } from '../settings/gateway-file.js';
import { checkEdit, shownFile, type CheckedEdit } from './check-edit.js';
import { LOCKED_OF_PROVIDER, LOCKED_SETTINGS } from './edit-faults.js';
import { fileScalars } from './file-scalars.js';

const nameOf = (secret: string): string => createHmac('sha256', 'a key').update(secret).digest('hex');

const FILE = `# the gateway of the team
config: { editable: true, variables: [TEAM_*] }
console:
  oidc:
    issuer: https://login.example.com
    client_id: gateway
    client_secret: oidc-literal-secret
    redirect_base: https://gateway.example.com
    roles: { admin: [admins] }
database_url: postgres://gateway:url-secret@db.example/gateway
batch:
  output_buckets: [{ bucket: results, region: eu-west-1, access_key_id: bucket-id-secret, secret_access_key: bucket-secret }]
usage:
  retention: 30d
providers:
  openai: { api_key: \${EDIT_OPENAI_KEY} } # from the environment
  vllm:
    base_url: http://10.0.0.5/v1
    api_key: "literal \\u0073ecret"
    headers:
      x-team: header-secret
      x-reference: Bearer \${EDIT_OTHER_KEY}
      x-quoted: '\${EDIT_OTHER_KEY}'
      x-default: \${EDIT_OTHER_KEY:-default-secret}
  several:
    base_url: http://10.0.0.6/v1
    api_keys: [first-secret, &second second-secret]
models:
  - id: fast
    display_name: Fast
    deployments:
      - { provider: openai, model: gpt-5-mini }
  - id: local
    deployments:
      - { provider: vllm, model: qwen }
`;
const SECRETS =
  /literal .*ecret|oidc-literal|bucket-(?:id-)?secret|header-secret|default-secret|url-secret|first-secret|second-secret/;

describe('an edit of gateway.yaml', () => {
  const before = { ...process.env };
  beforeAll(() => {
    Object.assign(process.env, {
      EDIT_OPENAI_KEY: 'sk-of-the-environment',
      EDIT_OTHER_KEY: 'sk-other',
      TEAM_KEY: 'sk-of-the-team',
      OPENAI_API_KEY: 'sk-of-openai',
      GROQ_API_KEY: 'sk-of-groq',
    });
  });
  afterAll(() => {
    process.env = before;
  });

  const shown = shownFile(FILE, nameOf);
  const check = (text: string, file = FILE): CheckedEdit =>
    checkEdit(text, { file, running: staticSettings(loadConfig({ text: file })), nameOf });
  const edit = (from: string | RegExp, to: string): CheckedEdit => {
    const text = shown.replace(from, to);
    expect(text).not.toBe(shown);
    return check(text);
  };
  const faultsOf = ({ faults }: CheckedEdit): string[] => faults.map(({ path, message }) => `${path}: ${message}`);

  it('shows comments and names of variables, and no secret', () => {
    expect(shown).not.toMatch(SECRETS);
    expect(shown).toContain('# the gateway of the team');
    expect(shown).toContain('openai: { api_key: ${EDIT_OPENAI_KEY} } # from the environment');
    expect(shown).toContain('x-reference: Bearer ${EDIT_OTHER_KEY}');
    expect(shown).toContain("x-quoted: '${EDIT_OTHER_KEY}'");
    expect(shown).toMatch(/api_keys: \[<hidden:[0-9a-f]{12}>, &second <hidden:[0-9a-f]{12}>\]/);
    expect(shown.split('\n')).toHaveLength(FILE.split('\n').length);
    expect(readYaml(shown, process.env).faults).toEqual([]);
  });

  it('keeps every other character of the file', () => {
    expect(check(shown)).toEqual({ faults: [], text: FILE, waiting: [] });
    const { text } = edit('display_name: Fast', 'display_name: Faster # now');
    expect(text).toBe(FILE.replace('display_name: Fast', 'display_name: Faster # now'));
  });

  it('names the settings that need a restart', () => {
    expect(edit('retention: 30d', 'retention: 31d').waiting).toEqual(['usage.retention']);
  });

  it('names line, path and fix of each mistake', () => {
    const line = shown.split('\n').findIndex((each) => each.includes('display_name')) + 1;
    expect(edit('display_name', 'displayname').faults).toEqual([
      { path: 'models[0].displayname', message: 'unknown key. Did you mean display_name?', line },
    ]);
    expect(edit('provider: vllm', 'provider: vlm').faults[0]).toMatchObject({ line: line + 5 });
    expect(edit('models:', 'models: [').faults[0]).toMatchObject({ path: 'YAML' });
    expect(faultsOf(check('# nothing\n'))[0]).toMatch(/is empty/);
  });

  it.each(['providers: {', 'a: 1\na: 2\n'])('does not replace a file that cannot be read as it stands: %j', (file) => {
    const running = staticSettings(loadConfig({ text: FILE }));
    const found = checkEdit('providers:\n  openai: { api_key: sk-new }\n', { file, running, nameOf });
    expect(found.text).toBeUndefined();
    expect(found.faults[0]?.message).toMatch(/^cannot be read as it stands/);
  });

  it.each([
    ['an id that is shown', 'display_name: Fast', 'display_name: ${GATEWAY_ADMIN_KEY}', /cannot name the variable/],
    ['an address', 'http://10.0.0.5/v1', 'http://evil.example/${EDIT_OTHER_KEY}', /cannot name the variable/],
    ['a key of a new address', 'http://10.0.0.5/v1', 'http://evil.example/v1', /to a new address|to this address/],
    [
      'another variable as a key',
      '${EDIT_OPENAI_KEY}',
      '${GATEWAY_ADMIN_KEY}',
      /cannot send the variable GATEWAY_ADMIN_KEY/,
    ],
    [
      'an address of a known provider',
      '${EDIT_OPENAI_KEY}',
      '${EDIT_OPENAI_KEY}, base_url: http://evil.example/v1',
      /to this address/,
    ],
    [
      'the key of the environment',
      '{ api_key: ${EDIT_OPENAI_KEY} }',
      '{ base_url: http://evil.example/v1 }',
      /key of the environment/,
    ],
    [
      'a file of the machine',
      'models:',
      '  v: { type: vertex, credentials_file: /etc/passwd }\nmodels:',
      /cannot set this/,
    ],
    ['who may sign in', 'admins', 'everyone', /cannot change this\./],
    ['who may edit', 'TEAM_*', '"*"', /cannot change this\./],
    ['where alerts go', 'usage:', 'alerts: { webhook_url: https://evil.example }\nusage:', /cannot change this\./],
    ['where results go', 'bucket: results', 'bucket: results, endpoint: https://evil.example', /cannot change this\./],
    [
      'a forged mark',
      'display_name: Fast',
      'display_name: "__gateway\\u005fplaceholder_0__ <hidden:000000000000>"',
      /has a part that is hidden/,
    ],
    [
      'an alias of a key',
      '- id: local',
      '- id: local\n    display_name: *second',
      /stands for a value that the file does not have here/,
    ],
    ['a version of YAML with merges', /^/, '%YAML 1.1\n---\n', /%YAML/],
  ])('cannot reach %s', (_what, from, to, message) => {
    const { faults, text } = edit(from, to);
    expect(text).toBeUndefined();
    expect(faults.map((fault) => fault.message).join('\n')).toMatch(message);
    expect(JSON.stringify(faults)).not.toMatch(/sk-o|sk-t/);
  });

  it('moves no hidden value to another place', () => {
    const [hidden = ''] = /<hidden:[0-9a-f]{12}>/.exec(shown.slice(shown.indexOf('vllm:'))) ?? [];
    const { faults } = edit('display_name: Fast', `display_name: ${hidden}`);
    expect(faults[0]?.message).toMatch(/does not have here/);
    expect(faultsOf(edit('models:', `  copy: { base_url: http://10.0.0.5/v1, api_key: ${hidden} }\nmodels:`))).toEqual([
      expect.stringMatching(/does not have here/),
      expect.stringMatching(/hidden value to a new address/),
    ]);
  });

  it('may take elements of a list of keys away, and change their order', () => {
    const [, first = '', second = ''] = /\[(<hidden:\w+>), &second (<hidden:\w+>)\]/.exec(shown) ?? [];
    expect(edit(/api_keys: .*/, `api_keys: [${second}, ${first}]`).text).toContain(
      'api_keys: [second-secret, first-secret]',
    );
    expect(edit(/api_keys: .*/, `api_keys: [${second}]`).text).toContain('api_keys: [second-secret]');
  });

  it('may add providers with their own variables, listed ones, and keys that it holds itself', () => {
    const added = [
      '  groq: { api_key: ${GROQ_API_KEY} }',
      '  team: { base_url: http://10.0.0.9/v1, api_key: ${TEAM_KEY} }',
      '  own: { base_url: http://10.0.0.10/v1, api_key: typed, headers: { x: typed } }',
      '  none: { base_url: http://10.0.0.11/v1 }',
    ].join('\n');
    const result = edit('models:', `${added}\nmodels:`);
    expect(result.faults).toEqual([]);
    expect(shownFile(result.text ?? '', nameOf)).not.toMatch(/typed/);
  });

  it('writes a secret of several lines on one', () => {
    const file = FILE.replace('"literal \\u0073ecret"', '|-\n      block-secret');
    const text = shownFile(file, nameOf);
    expect(text).not.toContain('block-secret');
    const result = check(text.replace('Fast', 'Faster'), file);
    expect(result.faults).toEqual([]);
    expect(readYaml(result.text ?? '', process.env).value).toMatchObject({
      providers: { vllm: { api_key: 'block-secret' } },
    });
  });

  it('finds each value where the parser finds it, with any secret', () => {
    const secret = fc.string({ unit: 'binary', minLength: 4, maxLength: 40 });
    fc.assert(
      fc.property(secret, fc.boolean(), fc.boolean(), (value, inFlow, withComment) => {
        const quoted = JSON.stringify(`${value}~end`)
          .replaceAll('$', '\\u0024')
          .replaceAll('\u2028', '\\u2028')
          .replaceAll('\u2029', '\\u2029')
          .replaceAll('\u0085', '\\u0085')
          .replaceAll('\ufeff', '\\ufeff')
          .replaceAll(/[\u007f-\u009f]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
        const comment = withComment ? ' # why' : '';
        const entry = inFlow
          ? `{ base_url: http://h/v1, api_key: ${quoted} }${comment}`
          : `\n    base_url: http://h/v1\n    api_key: ${quoted}${comment}`;
        const file = `config: { editable: true }\nproviders:\n  one: ${entry}\n`;
        const { scalars } = fileScalars(file);
        const found = scalars.find(({ path }) => path === 'providers.one.api_key');
        expect(found?.source).toBe(quoted);
        const text = shownFile(file, nameOf);
        expect(text).not.toContain('~end');
        expect(check(text, file).text).toBe(file);
      }),
    );
  });
});

/** What edits may change: it neither signs anyone in nor sends credentials or stored data of the gateway anywhere. */
const OPEN_SECTIONS = [
  ...['server', 'log', 'metrics', 'streaming', 'batch', 'responses', 'usage'],
  ...['upstream', 'retry', 'health', 'sandbox', 'expose', 'discover', 'providers', 'models'],
];
/** Parts of addresses, and credentials that are hidden, or are sent where the type of the provider says. */
const OPEN_CLOUD_KEYS = [
  ...['region', 'project', 'resource_name', 'api_version', 'access_key_id', 'secret_access_key', 'session_token'],
  ...['client_id', 'client_secret'],
];

it('decides for each section and each cloud setting whether an edit may change it', () => {
  const sections = Object.keys({ ...PROCESS_SECTIONS, ...ROUTING_SECTIONS });
  const lockedSections = LOCKED_SETTINGS.filter((path) => !path.includes('.'));
  expect([...lockedSections, ...OPEN_SECTIONS].sort()).toEqual(sections.sort());
  expect([...LOCKED_OF_PROVIDER, ...OPEN_CLOUD_KEYS].sort()).toEqual([...CLOUD_KEYS].sort());
});

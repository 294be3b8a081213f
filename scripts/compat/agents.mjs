/**
 * Coding agents from npm, and for each wire format that they speak the setup that points them at a gateway. These setups
 * are the ones of docs/clients.md.
 */

/**
 * @typedef {'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini'} Wire
 *
 * @typedef {object} Target
 * @property {string} url of the gateway, without a path
 * @property {string} key
 * @property {string} model
 * @property {string} prompt
 *
 * @typedef {object} Setup
 * @property {Record<string, string>} [env]
 * @property {Record<string, string>} [files] below the home folder
 * @property {string[]} args
 *
 * @typedef {object} Agent
 * @property {string} name
 * @property {string} package
 * @property {string} version
 * @property {string} program its path below node_modules
 * @property {'binary' | 'node' | 'node22'} runs
 * @property {RegExp} [overflow] what it writes when it has understood that its input is too long for the model
 * @property {Partial<Record<Wire, string>>} [modelPrefixes] how a model's name has to begin, where the agent goes by it
 * @property {Partial<Record<Wire, (target: Target) => Setup>>} wires the one that it is used with first
 */

const platform = `${process.platform}-${process.arch}`;
const json = (value) => JSON.stringify(value, undefined, 2);

/** @type {Agent} */
const claudeCode = {
  name: 'claude-code',
  package: '@anthropic-ai/claude-code',
  version: '2.1.332',
  program: `@anthropic-ai/claude-code-${platform}/claude`,
  runs: 'binary',
  overflow: /Prompt is too long · the request is ~\d+ tokens/,
  wires: {
    anthropic: ({ url, key, model, prompt }) => ({
      env: {
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_AUTH_TOKEN: key,
        ANTHROPIC_MODEL: model,
        ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
      // Not --dangerously-skip-permissions: that refuses to run as root.
      args: ['-p', prompt, '--permission-mode', 'acceptEdits', '--allowedTools', 'Write,Read,Edit,Bash'],
    }),
  },
};

const CODEX_TRIPLES = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
};

/** @type {Agent} */
const codex = {
  name: 'codex',
  package: '@openai/codex',
  version: '0.171.0',
  program: `@openai/codex-${platform}/vendor/${CODEX_TRIPLES[platform]}/bin/codex`,
  runs: 'binary',
  overflow: /ran out of room in the model's context window/,
  wires: {
    'openai-responses': ({ url, key, model, prompt }) => ({
      env: { GATEWAY_KEY: key },
      files: {
        '.codex/config.toml': [
          `model = "${model}"`,
          'model_provider = "gateway"',
          '',
          '[model_providers.gateway]',
          'name = "Gateway"',
          `base_url = "${url}/v1"`,
          'env_key = "GATEWAY_KEY"',
          'wire_api = "responses"',
          'supports_websockets = false',
          '',
        ].join('\n'),
      },
      args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt],
    }),
  },
};

const OPENCODE_PACKAGES = {
  'openai-chat': '@ai-sdk/openai-compatible',
  'openai-responses': '@ai-sdk/openai',
  anthropic: '@ai-sdk/anthropic',
  gemini: '@ai-sdk/google',
};

/** @param {Wire} wire @returns {(target: Target) => Setup} */
const opencodeSetup =
  (wire) =>
  ({ url, key, model, prompt }) => ({
    env: { GATEWAY_KEY: key, OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
    files: {
      '.config/opencode/opencode.json': json({
        $schema: 'https://opencode.ai/config.json',
        provider: {
          gateway: {
            npm: OPENCODE_PACKAGES[wire],
            name: 'Gateway',
            options: { baseURL: `${url}${wire === 'gemini' ? '/v1beta' : '/v1'}`, apiKey: '{env:GATEWAY_KEY}' },
            models: { [model]: { name: model, limit: { context: 128_000, output: 8000 } } },
          },
        },
        model: `gateway/${model}`,
        permission: { edit: 'allow', bash: 'allow' },
        autoupdate: false,
        share: 'disabled',
      }),
    },
    args: ['run', prompt],
  });

/** @type {Agent} */
const opencode = {
  name: 'opencode',
  package: 'opencode-ai',
  version: '1.18.33',
  program: `opencode-${platform}/bin/opencode`,
  runs: 'binary',
  overflow: /The conversation was compacted/,
  wires: {
    'openai-chat': opencodeSetup('openai-chat'),
    'openai-responses': opencodeSetup('openai-responses'),
    anthropic: opencodeSetup('anthropic'),
    gemini: opencodeSetup('gemini'),
  },
};

/** @type {Agent} */
const geminiCli = {
  name: 'gemini-cli',
  package: '@google/gemini-cli',
  version: '0.61.0',
  program: '@google/gemini-cli/bundle/gemini.js',
  runs: 'node',
  overflow: /exceeds the maximum number of tokens|exceeds the context window|too long/i,
  wires: {
    gemini: ({ url, key, model, prompt }) => ({
      env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: key, GEMINI_MODEL: model },
      files: {
        '.gemini/settings.json': json({
          security: { auth: { selectedType: 'gemini-api-key' } },
          privacy: { usageStatisticsEnabled: false },
          general: { disableAutoUpdate: true },
        }),
      },
      args: ['--skip-trust', '--yolo', '-m', model, '-p', prompt],
    }),
  },
};

/** @param {string} type of qwen-code's authentication @param {(target: Target) => Record<string, string>} env */
const qwenSetup = (type, env) => (/** @type {Target} */ target) => ({
  env: env(target),
  args: ['--auth-type', type, '-m', target.model, '--yolo', target.prompt],
});

/** @type {Agent} */
const qwenCode = {
  name: 'qwen-code',
  package: '@qwen-code/qwen-code',
  version: '0.24.4',
  program: '@qwen-code/qwen-code/cli-entry.js',
  // For other names it asks for as many tokens of thinking as of the whole response.
  modelPrefixes: { anthropic: 'claude-sonnet-4-5-' },
  runs: 'node22',
  overflow: /maximum context length|exceeds the (?:maximum number of tokens|context window)|too long/i,
  wires: {
    'openai-chat': qwenSetup('openai', ({ url, key, model }) => ({
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: key,
      OPENAI_MODEL: model,
    })),
    'openai-responses': qwenSetup('openai-responses', ({ url, key, model }) => ({
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: key,
      OPENAI_MODEL: model,
    })),
    anthropic: qwenSetup('anthropic', ({ url, key, model }) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: key,
      ANTHROPIC_MODEL: model,
    })),
    gemini: qwenSetup('gemini', ({ url, key, model }) => ({
      GOOGLE_GEMINI_BASE_URL: url,
      GEMINI_API_KEY: key,
      GEMINI_MODEL: model,
    })),
  },
};

/** @param {string} provider @param {string} path @returns {(target: Target) => Setup} */
const continueSetup =
  (provider, path, extra = {}) =>
  ({ url, key, model, prompt }) => ({
    env: { CONTINUE_TELEMETRY_ENABLED: '0', CONTINUE_CLI_AUTO_UPDATED: '1' },
    files: {
      // YAML takes JSON.
      '.continue/config.yaml': json({
        name: 'Gateway',
        version: '1.0.0',
        schema: 'v1',
        models: [
          {
            name: 'Gateway',
            provider,
            model,
            apiBase: `${url}${path}`,
            apiKey: key,
            roles: ['chat', 'edit', 'apply'],
            capabilities: ['tool_use'],
            ...extra,
          },
        ],
      }),
    },
    args: ['--config', '~/.continue/config.yaml', '--auto', '-p', prompt],
  });

/** @type {Agent} */
const continueCli = {
  name: 'continue',
  package: '@continuedev/cli',
  version: '1.5.47',
  program: '@continuedev/cli/dist/cn.js',
  runs: 'node22',
  overflow: /Context length exceeded/,
  wires: {
    'openai-chat': continueSetup('openai', '/v1'),
    anthropic: continueSetup('anthropic', '/v1'),
  },
};

/** @param {string} provider @param {string} path @returns {(target: Target) => Setup} */
const clineSetup =
  (provider, path) =>
  ({ url, key, model, prompt }) => ({
    files: {
      '.cline/data/settings/providers.json': json({
        version: 1,
        lastUsedProvider: provider,
        modes: {},
        providers: {
          [provider]: {
            settings: { provider, apiKey: key, model, baseUrl: `${url}${path}` },
            updatedAt: '2026-01-01T00:00:00.000Z',
            tokenSource: 'manual',
          },
        },
      }),
    },
    args: [prompt],
  });

/** @type {Agent} */
const cline = {
  name: 'cline',
  package: 'cline',
  version: '3.0.65',
  program: `@cline/cli-${platform}/bin/cline`,
  // For other names it offers a search of Google's in place of its own tools.
  modelPrefixes: { gemini: 'gemini-3-pro-' },
  runs: 'binary',
  overflow: /context window exceeded/,
  wires: {
    'openai-chat': clineSetup('openai-compatible', '/v1'),
    'openai-responses': clineSetup('openai-native', '/v1'),
    anthropic: clineSetup('anthropic', '/v1'),
    gemini: clineSetup('gemini', '/v1beta'),
  },
};

/** @param {Record<string, string>} env @param {string} path @returns {(target: Target) => Setup} */
const copilotSetup =
  (env, path) =>
  ({ url, key, model, prompt }) => ({
    env: { COPILOT_PROVIDER_BASE_URL: `${url}${path}`, COPILOT_PROVIDER_API_KEY: key, COPILOT_MODEL: model, ...env },
    args: ['-p', prompt, '--allow-all-tools', '--no-auto-update'],
  });

/** @type {Agent} */
const copilot = {
  name: 'copilot',
  package: '@github/copilot',
  version: '1.0.102',
  program: `@github/copilot-${platform}/copilot`,
  runs: 'binary',
  overflow: /exceeded the model's context limit/,
  wires: {
    'openai-chat': copilotSetup({ COPILOT_PROVIDER_TYPE: 'openai', COPILOT_PROVIDER_WIRE_API: 'completions' }, '/v1'),
    'openai-responses': copilotSetup(
      { COPILOT_PROVIDER_TYPE: 'openai', COPILOT_PROVIDER_WIRE_API: 'responses' },
      '/v1',
    ),
    anthropic: copilotSetup({ COPILOT_PROVIDER_TYPE: 'anthropic' }, ''),
  },
};

const PI_APIS = {
  'openai-chat': 'openai-completions',
  'openai-responses': 'openai-responses',
  anthropic: 'anthropic-messages',
  gemini: 'google-generative-ai',
};
/** What pi adds to the address by itself. */
const PI_PATHS = { 'openai-chat': '/v1', 'openai-responses': '/v1', anthropic: '', gemini: '/v1beta' };

/** @param {Wire} wire @returns {(target: Target) => Setup} */
const piSetup =
  (wire) =>
  ({ url, key, model, prompt }) => ({
    env: { GATEWAY_KEY: key, PI_OFFLINE: '1' },
    files: {
      '.pi/agent/models.json': json({
        providers: {
          gateway: {
            baseUrl: `${url}${PI_PATHS[wire]}`,
            api: PI_APIS[wire],
            apiKey: 'GATEWAY_KEY',
            models: [
              { id: model, name: model, reasoning: wire !== 'openai-chat', contextWindow: 128_000, maxTokens: 8000 },
            ],
          },
        },
      }),
    },
    args: ['--provider', 'gateway', '--model', model, '-p', prompt],
  });

/** @type {Agent} */
const pi = {
  name: 'pi',
  package: '@mariozechner/pi-coding-agent',
  version: '0.73.1',
  program: '@mariozechner/pi-coding-agent/dist/cli.js',
  runs: 'node22',
  wires: {
    'openai-chat': piSetup('openai-chat'),
    'openai-responses': piSetup('openai-responses'),
    anthropic: piSetup('anthropic'),
    gemini: piSetup('gemini'),
  },
};

export const AGENTS = [claudeCode, codex, opencode, geminiCli, qwenCode, continueCli, cline, copilot, pi];

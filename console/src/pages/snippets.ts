export const LANGUAGES = [
  ['curl', 'curl'],
  ['python', 'Python'],
  ['typescript', 'TypeScript'],
] as const;
export type Language = (typeof LANGUAGES)[number][0];

const indented = (value: object, spaces: number): string =>
  JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(spaces)}`);

/** Python's spelling of JSON. Only values are changed, not texts. */
function pythonOf(value: unknown, depth = 1): string {
  const pad = '    '.repeat(depth);
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value))
    return `[\n${value.map((each) => `${pad}    ${pythonOf(each, depth + 1)},`).join('\n')}\n${pad}]`;
  if (typeof value === 'object') {
    const rows = Object.entries(value).map(
      ([name, each]) => `${pad}    ${JSON.stringify(name)}: ${pythonOf(each, depth + 1)},`,
    );
    return `{\n${rows.join('\n')}\n${pad}}`;
  }
  return JSON.stringify(value);
}

/** A chat request in a language. @param key shown in the code */
export function codeFor(language: Language, request: object, key = 'GATEWAY_KEY'): string {
  const base = `${location.origin}/v1`;
  if (language === 'curl') {
    const body = JSON.stringify(request, null, 2).replaceAll("'", String.raw`'\''`);
    return `curl ${base}/chat/completions \\\n  -H "Authorization: Bearer ${key}" \\\n  -H "Content-Type: application/json" \\\n  -d '${body}'`;
  }
  if (language === 'python') {
    const fields = Object.entries(request).map(([name, value]) => `    ${name}=${pythonOf(value)},`);
    return `from openai import OpenAI\n\nclient = OpenAI(base_url="${base}", api_key="${key}")\nresponse = client.chat.completions.create(\n${fields.join('\n')}\n)\nprint(response.choices[0].message.content)`;
  }
  return `import OpenAI from 'openai';\n\nconst client = new OpenAI({ baseURL: '${base}', apiKey: '${key}' });\nconst response = await client.chat.completions.create(${indented(request, 0)});\nconsole.log(response.choices[0].message.content);`;
}

/** A client program, how it is told of the gateway, and the request by which it is tried. */
export interface ClientSetup {
  readonly id: string;
  readonly name: string;
  readonly where: string;
  readonly snippet: (key: string, model: string) => string;
  /** The endpoint that the client calls. */
  readonly path: '/v1/chat/completions' | '/v1/messages' | '/v1/responses';
}

const origin = location.origin;

export const CLIENTS: readonly ClientSetup[] = [
  {
    id: 'curl',
    name: 'curl',
    where: 'In a terminal',
    path: '/v1/chat/completions',
    snippet: (key, model) => codeFor('curl', { model, messages: [{ role: 'user', content: 'Hello' }] }, key),
  },
  {
    id: 'python',
    name: 'openai (Python)',
    where: 'pip install openai',
    path: '/v1/chat/completions',
    snippet: (key, model) => codeFor('python', { model, messages: [{ role: 'user', content: 'Hello' }] }, key),
  },
  {
    id: 'typescript',
    name: 'openai (TypeScript)',
    where: 'npm install openai',
    path: '/v1/chat/completions',
    snippet: (key, model) => codeFor('typescript', { model, messages: [{ role: 'user', content: 'Hello' }] }, key),
  },
  {
    id: 'claude-code',
    name: 'Claude Code',
    where: 'In the terminal that starts it',
    path: '/v1/messages',
    snippet: (key, model) =>
      `export ANTHROPIC_BASE_URL=${origin}\nexport ANTHROPIC_AUTH_TOKEN=${key}\nexport ANTHROPIC_MODEL=${model}\nclaude`,
  },
  {
    id: 'codex',
    name: 'Codex',
    where: '~/.codex/config.toml',
    path: '/v1/responses',
    snippet: (key, model) =>
      `model = "${model}"\nmodel_provider = "gateway"\n\n[model_providers.gateway]\nname = "Gateway"\nbase_url = "${origin}/v1"\nenv_key = "GATEWAY_KEY"\nwire_api = "responses"\n\n# then, in the terminal:\n# export GATEWAY_KEY=${key}\n# codex`,
  },
  {
    id: 'opencode',
    name: 'opencode',
    where: 'opencode.json',
    path: '/v1/chat/completions',
    snippet: (key, model) =>
      JSON.stringify(
        {
          $schema: 'https://opencode.ai/config.json',
          provider: {
            gateway: {
              npm: '@ai-sdk/openai-compatible',
              name: 'Gateway',
              options: { baseURL: `${origin}/v1`, apiKey: key },
              models: { [model]: {} },
            },
          },
        },
        null,
        2,
      ),
  },
  {
    id: 'langchain',
    name: 'LangChain',
    where: 'pip install langchain-openai',
    path: '/v1/chat/completions',
    snippet: (key, model) =>
      `from langchain_openai import ChatOpenAI\n\nmodel = ChatOpenAI(\n    model="${model}",\n    base_url="${origin}/v1",\n    api_key="${key}",\n)\nprint(model.invoke("Hello").content)`,
  },
  {
    id: 'cursor',
    name: 'Cursor',
    where: 'Settings, Models, OpenAI API Key',
    path: '/v1/chat/completions',
    snippet: (key, model) =>
      `Override OpenAI Base URL: ${origin}/v1\nOpenAI API Key:           ${key}\nAdd the model:            ${model}\n\nCursor calls from its own servers, so this address must be reachable from the internet.`,
  },
];

/** The body of a small request to an endpoint. */
export function trialBody(path: ClientSetup['path'], model: string): object {
  if (path === '/v1/messages') return { model, max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] };
  if (path === '/v1/responses') return { model, input: 'Hello', store: false };
  return { model, messages: [{ role: 'user', content: 'Hello' }] };
}

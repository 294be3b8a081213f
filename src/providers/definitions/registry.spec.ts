import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { WIRE_NAMES } from '../../operations/chat/canonical/wire-name.js';
import { providerName } from '../../telemetry/tracing/provider-names.js';
import {
  definitionAt,
  definitionNamed,
  definitionOfType,
  entryTypeOf,
  FIELD_RULE_NAMES,
  fieldRulesOf,
  LOCAL_SERVERS,
  PROVIDER_TYPES,
  PROVIDER_DEFINITIONS,
  quirksOfDefinition,
  typeOf,
} from './registry.js';

const SRC = join(import.meta.dirname, '../..');

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.ts$/.test(path) && !/\.(?:spec|examples)\.ts$/.test(path) ? [path] : [];
  });
}

/** Properties that are documentation, or names in another party's list: a catalogue, or a package's options. */
const FOREIGN = ['example', 'priceId', 'catalogueId', 'namespace'];

/** Folders and files that name wire formats, some of which have the name of the provider that published them. */
const FORMAT_FOLDERS = [
  'wire',
  'operations/chat/canonical',
  'providers/definitions',
  'runtime/wire-name.ts',
  'engine/recovery/splice.ts',
].map((folder) => join(SRC, folder));

function isFormatName(name: string, path: string): boolean {
  return (WIRE_NAMES as readonly string[]).includes(name) && FORMAT_FOLDERS.some((folder) => path.startsWith(folder));
}

/** Every string of a file that could name a provider. */
function stringsOf(path: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && FOREIGN.includes(node.name.getText(file))) return;
    // Describes a response header in the API's documentation, with an example.
    if (ts.isCallExpression(node) && node.expression.getText(file) === 'header') return;
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('a provider is one file', () => {
  const files = sources(SRC).map((path) => ({
    path,
    strings: new Set(stringsOf(path).filter((text) => !isFormatName(text, path))),
  }));

  it('whose name and type no other source file has as a string', () => {
    expect(files.length).toBeGreaterThan(300);
    const counted = PROVIDER_DEFINITIONS.map(({ name, type }) => {
      const own = join(SRC, 'providers/definitions', `${name}.ts`);
      const places = files.filter(({ strings }) => strings.has(name) || (type !== undefined && strings.has(type)));
      return [name, places.map(({ path }) => path).filter((path) => path !== own)];
    });
    expect(counted).toEqual(PROVIDER_DEFINITIONS.map(({ name }) => [name, []]));
  });

  it('that the registry has found', () => {
    const named = readdirSync(import.meta.dirname)
      .filter((name) => /^[a-z\d-]+\.ts$/.test(name))
      .map((name) => basename(name, '.ts'))
      .filter((name) => name !== 'definition' && name !== 'registry');
    expect(PROVIDER_DEFINITIONS.map(({ name }) => name)).toEqual(named.sort());
    expect(named.length).toBeGreaterThan(20);
  });
});

describe('the definitions', () => {
  it.each(PROVIDER_DEFINITIONS.map((definition) => [definition.name, definition] as const))(
    '%s is complete',
    (name, definition) => {
      const { adapter, chat, compatible, keyVariable, baseUrl, connect, isLocal, documentation, title } = definition;
      expect(title).not.toBe('');
      expect(documentation).toMatch(/^https:\/\/|^docs\/[a-z]+\.md$/);
      expect([adapter, chat, compatible].filter((each) => each !== undefined).length).toBeGreaterThan(0);
      // Its address is known, or is made from the entry, or is nowhere.
      if (adapter === undefined) expect([baseUrl, connect].filter((each) => each !== undefined)).toHaveLength(1);
      if (keyVariable !== undefined) expect(baseUrl).toBeDefined();
      if (isLocal === true) expect([keyVariable, chat]).toEqual([undefined, undefined]);
      expect(definitionNamed(name)).toBe(definition);
      expect(definitionOfType(typeOf(definition))).toBe(definition);
    },
  );

  it('are found by their address, wherever the cloud has it', () => {
    const found = (url: string): string | undefined => definitionAt(url)?.name;
    for (const { baseUrl, name, isLocal } of PROVIDER_DEFINITIONS) {
      if (baseUrl !== undefined) expect([name, found(baseUrl)]).toEqual([name, isLocal === true ? undefined : name]);
    }
    expect(found('https://bedrock-runtime.eu-west-1.amazonaws.com')).toBe('bedrock');
    expect(found('https://bedrock-runtime.cn-north-1.amazonaws.com.cn')).toBe('bedrock');
    expect(found('https://europe-west4-aiplatform.googleapis.com/v1')).toBe('vertex');
    expect(found('https://aiplatform.eu.rep.googleapis.com')).toBe('vertex');
    expect(found('https://mine.openai.azure.com/openai')).toBe('azure');
    for (const url of ['https://openai.azure.com.evil.example', 'https://api.openai.com.example/v1', 'nonsense', '']) {
      expect(found(url)).toBeUndefined();
    }
  });

  it('give an entry of their name its type, and its quirks the rules by their name', () => {
    const types = Object.fromEntries(PROVIDER_DEFINITIONS.map((each) => [each.name, entryTypeOf(each)]));
    expect(types).toMatchObject({ gemini: 'google', anthropic: 'anthropic', groq: 'openai', vllm: 'openai' });
    expect(quirksOfDefinition(definitionNamed('mistral'))).toEqual({
      tokenLimit: 'max_tokens',
      developerRole: false,
      streamOptions: false,
      accepts: 'mistral',
    });
    expect(quirksOfDefinition(definitionNamed('anthropic'))).toBeUndefined();
    expect(FIELD_RULE_NAMES.map((name) => fieldRulesOf(name))).not.toContain(undefined);
    expect([fieldRulesOf('any'), fieldRulesOf(undefined)]).toEqual([undefined, undefined]);
    expect(PROVIDER_TYPES).toHaveLength(17);
    expect(LOCAL_SERVERS.map(({ name }) => name)).toEqual(['llamacpp', 'lmstudio', 'ollama', 'vllm']);
  });

  it.each([
    ['my-claude', 'anthropic', 'anthropic'],
    ['gemini', 'openai', 'gcp.gemini'],
    ['google', 'openai', 'gcp.gemini'],
    ['any', 'vertex', 'gcp.vertex_ai'],
    ['mistral', 'openai', 'mistral_ai'],
    ['together', 'together', 'together'],
    ['my-vllm', 'openai', 'my-vllm'],
    ['openai', 'openai', 'openai'],
  ])('an entry %s of type %s is %s in spans', (name, type, expected) => {
    expect(providerName({ name, type })).toBe(expected);
  });
});

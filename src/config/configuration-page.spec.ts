import { readFileSync } from 'node:fs';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { KNOWN_PROVIDERS } from './known-providers.js';

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  additionalProperties?: SchemaNode | boolean;
}

function keysOf(node: SchemaNode, path: string): string[] {
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([name, child]) =>
      keysOf(child, path === '' ? name : `${path}.${name}`),
    );
  }
  if (node.items?.properties !== undefined) return keysOf(node.items, `${path}[]`);
  if (typeof node.additionalProperties === 'object' && node.additionalProperties.properties !== undefined) {
    return keysOf(node.additionalProperties, `${path}.<name>`);
  }
  return [path];
}

it('docs/configuration.md names every key of gateway.yaml', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const missing = keysOf(GATEWAY_SCHEMA as unknown as SchemaNode, '').filter((key) => !page.includes(`\`${key}\``));
  expect(missing).toEqual([]);
});

it('docs/configuration.md and docs/providers.md name the variable of every known provider', () => {
  const pages = ['configuration', 'providers'].map((name) =>
    readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8'),
  );
  const variables = Object.values(KNOWN_PROVIDERS).map(({ keyVariable }) => keyVariable);
  expect(variables.length).toBeGreaterThan(10);
  for (const page of pages) expect(variables.filter((variable) => !page.includes(`\`${variable}\``))).toEqual([]);
});

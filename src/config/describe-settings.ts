import type { Environment } from './environment.js';
import { PROCESS_SECTIONS, ROUTING_SECTIONS } from './settings/gateway-file.js';
import { REQUEST_LOG_VARIABLES, TRACING_VARIABLES } from './settings/integration-variables.js';
import { PROCESS_VARIABLES } from './settings/process-variables.js';
import { keysOf } from './settings/tables.js';
import type { YamlSource } from './yaml-source.js';

/** A setting that is not at its default. */
export interface ChangedSetting {
  /** Key of the file, or name of the variable where the file has no such key. */
  readonly name: string;
  /** `set` for a secret. */
  readonly value: string;
  /** The variable, or the file with the line. */
  readonly from: string;
}

/** Providers and models have lines of their own, and GATEWAY_CONFIG names the file. */
const DESCRIBED_ELSEWHERE = ['providers', 'models', 'GATEWAY_CONFIG'];

/** The settings of the process that are not at their defaults, and where each of them comes from. */
export function changedSettings(source: YamlSource, environment: Environment, fileName: string): ChangedSetting[] {
  const sections = Object.entries({ ...PROCESS_SECTIONS, ...ROUTING_SECTIONS });
  const ofFile = sections
    .filter(([key]) => !DESCRIBED_ELSEWHERE.includes(key))
    .flatMap(([key, entry]) => keysOf(key, entry))
    .flatMap(({ name, kind, facts }): ChangedSetting[] => {
      if (kind.members !== undefined) return [];
      const text = facts.variable === undefined ? undefined : environment.variable(facts.variable);
      const value = text ?? valueAt(source.value, name);
      if (value === undefined || isDefault(value, facts.default)) return [];
      const line = source.lineOf(name);
      const place = line === undefined ? fileName : `${fileName}:${line}`;
      return [{ name, value: shown(value, facts.secret), from: text === undefined ? place : (facts.variable ?? '') }];
    });
  const variables = { ...PROCESS_VARIABLES, ...REQUEST_LOG_VARIABLES, ...TRACING_VARIABLES };
  const ofVariables = Object.entries(variables).flatMap(([name, { kind, facts }]): ChangedSetting[] => {
    const text = DESCRIBED_ELSEWHERE.includes(name) ? undefined : environment.variable(name);
    const standard = 'default' in facts ? (kind.toText?.(facts.default) ?? facts.default) : undefined;
    if (text === undefined || isDefault(text, standard)) return [];
    return [{ name, value: shown(text, facts.secret), from: 'the environment' }];
  });
  return [...ofFile, ...ofVariables];
}

function valueAt(file: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], file);
}

/** A variable is text where the default may be a number or a boolean. */
function isDefault(value: unknown, standard: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(standard) || value === String(standard);
}

function shown(value: unknown, secret: boolean | undefined): string {
  if (secret === true) return 'set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

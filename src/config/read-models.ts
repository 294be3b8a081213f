import type { ConfigFault } from './config-error.js';
import type { ModelConfig, ProviderConfig } from './gateway-config.js';
import { nearestName } from './nearest-name.js';
import type { ModelSettings } from './settings/models.js';
import type { Timeouts } from './settings/upstream.js';

/** The entries under `models:`, with a fault for each reference to something that does not exist. */
export function readModels(
  entries: readonly ModelSettings[],
  providers: readonly ProviderConfig[],
  defaults: Timeouts,
  faults: ConfigFault[],
): ModelConfig[] {
  const providerNames = providers.map(({ name }) => name);
  const ids = namesOf(entries, faults);
  return entries.map((entry, index) => {
    const path = `models[${index}]`;
    const patternFault = faultOfPattern(entry.id);
    if (patternFault !== undefined) faults.push({ path: `${path}.id`, message: patternFault });
    const isPattern = entry.id.endsWith('*');
    if (isPattern && entry.aliases.length > 0) {
      faults.push({
        path: `${path}.aliases`,
        message: 'a pattern has none; give the alias to a model with an id of its own',
      });
    }
    entry.deployments.forEach(({ provider, model }, position) => {
      const deployment = `${path}.deployments[${position}]`;
      if (model.includes('*') && !(isPattern && model.split('*').length === 2)) {
        faults.push({
          path: `${deployment}.model`,
          message: 'takes one *, and only where the id of the model is a pattern such as openai/*',
        });
      }
      if (providerNames.includes(provider)) return;
      const near = nearestName(provider, providerNames);
      faults.push({
        path: `${deployment}.provider`,
        message: `there is no provider '${provider}'. ${near === undefined ? `Known: ${providerNames.join(', ') || 'none'}` : `Did you mean ${near}?`}`,
      });
    });
    entry.fallbacks.forEach((fallback, position) => {
      const fault = fallbackFault(fallback, entry.id, ids, providerNames);
      if (fault !== undefined) faults.push({ path: `${path}.fallbacks[${position}]`, message: fault });
    });
    entry.contextFallbacks.forEach((fallback, position) => {
      const fault = fallbackFault(fallback, entry.id, ids, providerNames);
      if (fault !== undefined) faults.push({ path: `${path}.context_fallbacks[${position}]`, message: fault });
    });
    return { ...entry, timeouts: { ...defaults, ...whereSet(entry.timeouts) } };
  });
}

function whereSet<Value extends object>(values: Value): { [Name in keyof Value]?: NonNullable<Value[Name]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Value]?: NonNullable<Value[Name]> };
}

/** Every id and alias; each names one model. */
function namesOf(entries: readonly ModelSettings[], faults: ConfigFault[]): string[] {
  const places = new Map<string, string>();
  entries.forEach(({ id, aliases }, index) => {
    const own = [
      [id, `models[${index}].id`],
      ...aliases.map((alias, at) => [alias, `models[${index}].aliases[${at}]`]),
    ];
    for (const [name = '', path = ''] of own) {
      const first = places.get(name);
      if (first === undefined) places.set(name, path);
      else faults.push({ path, message: `'${name}' is already taken by ${first}` });
      if (path.includes('.aliases') && name.includes('*'))
        faults.push({ path, message: 'an alias is an id, without *' });
    }
  });
  return [...places.keys()];
}

function faultOfPattern(id: string): string | undefined {
  const star = id.indexOf('*');
  if (star === -1 || id === '*' || (star === id.length - 1 && id.endsWith('/*'))) return undefined;
  return 'a pattern is * or ends in /*, such as openai/*';
}

function fallbackFault(
  fallback: string,
  own: string,
  ids: readonly string[],
  providerNames: readonly string[],
): string | undefined {
  if (fallback === own) return 'a model cannot fall back to itself';
  if (fallback.includes('*')) return 'a fallback is an id, without *';
  if (ids.includes(fallback)) return undefined;
  if (ids.some((id) => id.endsWith('*') && fallback.startsWith(id.slice(0, -1)))) return undefined;
  if (fallback.includes('/') && providerNames.includes(fallback.slice(0, fallback.indexOf('/')))) return undefined;
  const near = nearestName(fallback, ids);
  return `there is no model '${fallback}'. ${near === undefined ? 'Use an id under models, or provider/model' : `Did you mean ${near}?`}`;
}

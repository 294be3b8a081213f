import type { ConfigFault } from './config-error.js';
import { nearestName } from './nearest-name.js';
import { NEVER_IN_A_FILE } from './secret-files.js';

const PREFIX = 'GATEWAY_';
/** Variables for clients of the gateway, which an operator's shell may have, and one that CGI sets. */
const OF_OTHERS = new Set(['GATEWAY_KEY', 'GATEWAY_API_KEY', 'GATEWAY_URL', 'GATEWAY_INTERFACE']);
/** Variables that Kubernetes and Docker set for services and links whose name begins with `gateway`. */
const SERVICE_LINK = /_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?|NAME)$/;
const LINK_ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/**
 * A fault for each variable with the gateway's prefix that the gateway does not know: a misspelt one would be ignored silently.
 *
 * @param known every name that the configuration reads
 */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  known: ReadonlySet<string>,
): ConfigFault[] {
  const own = [...known].filter((name) => name.startsWith(PREFIX));
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (!name.startsWith(PREFIX) || OF_OTHERS.has(name) || value === '') return [];
    const inFile = name.replace(/_FILE$/, '');
    if (known.has(name) || (known.has(inFile) && inFile !== NEVER_IN_A_FILE)) return [];
    if (SERVICE_LINK.test(name) || LINK_ADDRESS.test(value)) return [];
    const near = meantName(name, known);
    const hint = near === undefined ? `Known names: ${own.sort().join(', ')}` : `Did you mean ${near}?`;
    return [{ path: name, message: `unknown variable. ${hint}` }];
  });
}

/** Names are compared without the prefix: operators often put it before a variable that has none, such as PORT. */
function meantName(name: string, known: ReadonlySet<string>): string | undefined {
  if (name === `${NEVER_IN_A_FILE}_FILE`) return NEVER_IN_A_FILE;
  const suffix = name.endsWith('_FILE') ? '_FILE' : '';
  const bare = name.slice(PREFIX.length, name.length - suffix.length);
  const names = new Map([...known].map((each) => [each.startsWith(PREFIX) ? each.slice(PREFIX.length) : each, each]));
  const containing = [...names.keys()].filter((each) => bare.length > 3 && each.split('_').includes(bare));
  const [shortest = '', ...longer] = containing.sort((a, b) => a.length - b.length);
  const isClear = shortest !== '' && longer.every((each) => each.startsWith(`${shortest}_`));
  const near = nearestName(bare, names.keys()) ?? (isClear ? shortest : undefined);
  return near === undefined ? undefined : `${names.get(near) ?? near}${suffix}`;
}

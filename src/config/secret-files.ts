import { readFileSync } from 'node:fs';
import type { ConfigFault } from './config-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

const SUFFIX = '_FILE';
/** This variable names a file itself, so GATEWAY_CONFIG_FILE would be ambiguous. */
export const NEVER_IN_A_FILE = 'GATEWAY_CONFIG';
/** Far longer than any secret. */
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * Adds `NAME` for each `NAME_FILE` whose `NAME` is not set: the text of that file, as Docker and Kubernetes mount secrets. A
 * file is read when its variable is read, so that `SSL_CERT_FILE` and other variables that only look similar have no effect.
 *
 * @param faults gets one fault for each file that cannot be used, and for each variable that is set in both ways
 */
export function withSecretFiles(env: Environment, faults: ConfigFault[]): Environment {
  // Without a prototype, so that a name such as `constructor` is not set.
  const extended = Object.assign(Object.create(null) as Record<string, string | undefined>, env);
  for (const [variable, path] of Object.entries(env)) {
    const name = variable.slice(0, -SUFFIX.length);
    if (
      !variable.endsWith(SUFFIX) ||
      name === '' ||
      name === NEVER_IN_A_FILE ||
      path === undefined ||
      path.trim() === ''
    )
      continue;
    const own = env[name]?.trim() ?? '';
    let text: string | undefined;
    let wasRead = false;
    Object.defineProperty(extended, name, {
      enumerable: false,
      get: () => {
        if (!wasRead) {
          wasRead = true;
          if (own === '') text = readSecret(variable, path.trim(), faults);
          else faults.push({ path: variable, message: `${name} is set as well. Set one of the two` });
        }
        return own === '' ? text : own;
      },
    });
  }
  return extended;
}

function readSecret(variable: string, path: string, faults: ConfigFault[]): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    faults.push({ path: variable, message: `the file ${path} cannot be read (${code})` });
    return undefined;
  }
  if (text === '') faults.push({ path: variable, message: `the file ${path} is empty` });
  else if (Buffer.byteLength(text) > MAX_SECRET_BYTES) {
    faults.push({ path: variable, message: `the file ${path} holds more than 64 KB, so it is not a secret` });
  } else return text;
  return undefined;
}

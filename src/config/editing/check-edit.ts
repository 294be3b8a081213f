import { settingsThatNeedRestart } from '../changed-settings.js';
import { ConfigError, type ConfigFault } from '../config-error.js';
import type { Configuration, GatewayConfig } from '../gateway-config.js';
import { loadConfig } from '../load-config.js';
import { isEmpty } from '../watch-config.js';
import { readYaml } from '../yaml-source.js';
import { editFaults, loginFaults, type EditContext } from './edit-faults.js';
import { fileScalars, type FileScalar } from './file-scalars.js';
import { withSecrets, withoutSecrets, type SecretNames } from './hidden-values.js';

/** What an edit is compared with. */
export interface EditBase {
  /** The text of the file, with its secrets. */
  readonly file: string;
  readonly running: GatewayConfig;
  readonly nameOf: SecretNames;
}

/** The result of the check of an edit. */
export interface CheckedEdit {
  /** None where the edit can be applied. */
  readonly faults: readonly ConfigFault[];
  /** The text to write, with the secrets of the file; undefined where there are faults. */
  readonly text: string | undefined;
  /** Settings, such as `server.port`, that differ from those that the process runs with and need a restart. */
  readonly waiting: readonly string[];
}

/** The text of the file as administrators see it: with a name in place of each credential. */
export function shownFile(file: string, nameOf: SecretNames): string {
  const { isYaml, scalars, faults } = fileScalars(file);
  // What cannot be read has secrets at unknown places.
  return isYaml && faults.length === 0 ? withoutSecrets(file, scalars, nameOf) : '';
}

/** Checks an edited text by the schema, by all that a start checks, and by the rules for edits. */
export function checkEdit(edited: string, { file, running, nameOf }: EditBase): CheckedEdit {
  const refused = (faults: readonly ConfigFault[]): CheckedEdit => ({ faults, text: undefined, waiting: [] });
  if (isEmpty(edited))
    return refused([{ path: 'the file', message: 'is empty. To run without one, remove it and restart' }]);
  const { isYaml, scalars, faults } = fileScalars(edited);
  if (!isYaml) {
    const found = readYaml(edited, {}).faults;
    return refused(found.length > 0 ? found : [{ path: 'YAML', message: 'cannot be read' }]);
  }
  if (faults.length > 0) return refused(faults);
  const present = fileScalars(file);
  if (!present.isYaml || present.faults.length > 0) {
    // Nothing could be compared: neither the sections that an edit must not change, nor what would be lost.
    const message =
      'cannot be read as it stands on the machine, perhaps because it is being edited there. Repair it there first';
    return refused([{ path: 'the present file', message }]);
  }
  const before = present.scalars;
  const context: EditContext = { edited: scalars, before, nameOf, variables: running.editing.variables };
  const restored = withSecrets(edited, scalars, before, nameOf);
  const forbidden = [...restored.faults, ...withLines(editFaults(context), edited, scalars)];
  if (forbidden.length > 0) return refused(forbidden);
  let next: Configuration;
  try {
    next = loadConfig({ text: restored.text });
  } catch (error) {
    if (error instanceof ConfigError) return refused(error.faults);
    throw error;
  }
  const logins = withLines(loginFaults(next, context), edited, scalars);
  if (logins.length > 0) return refused(logins);
  return { faults: [], text: restored.text, waiting: settingsThatNeedRestart(running, next).map(asInTheFile) };
}

/** `server.drainTimeout` is `server.drain_timeout` in the file. */
function asInTheFile(path: string): string {
  return path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function withLines(faults: readonly ConfigFault[], edited: string, scalars: readonly FileScalar[]): ConfigFault[] {
  return faults.map((fault) => {
    const place = scalars.find(({ path }) => path === fault.path || path.startsWith(`${fault.path}.`));
    return place === undefined ? fault : { ...fault, line: edited.slice(0, place.start).split('\n').length };
  });
}

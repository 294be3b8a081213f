import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { ConfigFault } from './config-error.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { nearestName } from './nearest-name.js';
import { parseDuration, parseSize } from './units.js';
import { printPath } from './yaml-source.js';

// The schema is a constant that a test validates, so that no start needs to.
const ajv = new Ajv({ allErrors: true, strict: false, strictNumbers: true, verbose: true, validateSchema: false });
/** The constraint of a value with a unit. `unit` is this schema's own keyword; editors ignore it. */
const UNITS: Readonly<Record<string, { accepts: (value: unknown) => boolean; message: string }>> = {
  duration: {
    accepts: (value) => parseDuration(value) !== undefined,
    message: 'must be a duration with its unit, such as 500ms, 5s, 10m, 2h or 30d',
  },
  timeout: {
    accepts: (value) => (parseDuration(value) ?? 0) > 0,
    message: 'must be a duration above zero with its unit, such as 500ms, 5s or 10m',
  },
  size: {
    accepts: (value) => (parseSize(value) ?? 0) > 0,
    message: 'must be a size above zero with its unit, such as 512KB, 32MB or 1GB',
  },
};
ajv.addKeyword({
  keyword: 'unit',
  validate: (unit: string, value: unknown) => UNITS[unit]?.accepts(value) ?? false,
});
/** Compiled for the first file; a start without one does not need it. */
let validate: ValidateFunction | undefined;

/** A fault for each value of the file that the schema does not allow. */
export function fileFaults(value: unknown): ConfigFault[] {
  validate ??= ajv.compile(GATEWAY_SCHEMA);
  return validate(value) ? [] : (validate.errors ?? []).flatMap((error) => toFault(error, value));
}

function toFault(error: ErrorObject, file: unknown): ConfigFault[] {
  const path = pathOf(error.instancePath, file);
  const printed = printPath(path);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      const near = nearestName(key, known);
      const hint = near === undefined ? `Known keys: ${known.join(', ')}` : `Did you mean ${near}?`;
      return [{ path: printPath([...path, key]), message: `unknown key. ${hint}` }];
    }
    case 'required':
      return [
        { path: printPath([...path, String(error.params['missingProperty'])]), message: 'is required and missing' },
      ];
    case 'enum':
      return [{ path: printed, message: `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}` }];
    case 'unit':
      return [{ path: printed, message: UNITS[String(error.schema)]?.message ?? 'is wrong' }];
    case 'propertyNames':
      return [];
    case 'pattern': {
      const message = String(error.parentSchema?.['patternErrorMessage'] ?? error.message);
      return [{ path: error.propertyName === undefined ? printed : printPath([...path, error.propertyName]), message }];
    }
    default:
      return [{ path: printed === '' ? 'the file' : printed, message: error.message ?? 'is wrong' }];
  }
}

/** The steps of a JSON pointer: numbers are indexes of lists, and text is a name even where it has digits alone. */
function pathOf(pointer: string, file: unknown): (string | number)[] {
  let value = file;
  return pointer
    .split('/')
    .slice(1)
    .map((step) => {
      const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
      const isIndex = Array.isArray(value);
      value = (value as Record<string, unknown> | undefined)?.[name];
      return isIndex ? Number(name) : name;
    });
}

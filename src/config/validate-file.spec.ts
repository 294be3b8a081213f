import { Ajv } from 'ajv';
import { fileFaults } from './validate-file.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';

it('is done with a schema that is one itself', () => {
  const ajv = new Ajv({ strict: false });
  ajv.addKeyword('unit');
  expect([ajv.validateSchema(GATEWAY_SCHEMA), ajv.errors]).toEqual([true, null]);
});

it('finds nothing in an empty file, and the faults of each of two files', () => {
  expect(fileFaults({})).toEqual([]);
  for (const key of ['sever', 'modles']) expect(fileFaults({ [key]: {} })).toMatchObject([{ path: key }]);
});

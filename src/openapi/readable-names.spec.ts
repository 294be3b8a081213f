import type { OpenAPIObject } from '@nestjs/swagger';
import { withReadableNames } from './readable-names.js';

const documentOf = (...names: string[]): OpenAPIObject => ({
  openapi: '3.1.0',
  info: { title: 't', version: '1' },
  paths: {
    '/x': { get: { responses: { 200: { description: 'One BoxDto a line; Dto alone and boxDto stay.' } } } },
  },
  components: {
    schemas: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/schemas/${names[0] ?? ''}` }])),
  },
});

describe('withReadableNames', () => {
  it('drops the suffix of classes in names, references and descriptions', () => {
    const { components, paths } = withReadableNames(documentOf('BoxDto', 'BoxListDto', 'Scope'));
    expect(components?.schemas).toEqual({
      Box: { $ref: '#/components/schemas/Box' },
      BoxList: { $ref: '#/components/schemas/Box' },
      Scope: { $ref: '#/components/schemas/Box' },
    });
    expect(JSON.stringify(paths)).toContain('One Box a line; Dto alone and boxDto stay.');
  });

  it('refuses two schemas of one name', () => {
    expect(() => withReadableNames(documentOf('BoxDto', 'Box'))).toThrow(
      'two schemas of the OpenAPI document are called Box',
    );
  });
});

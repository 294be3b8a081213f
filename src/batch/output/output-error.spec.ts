import { notFound } from '../../errors/gateway-error.js';
import { storageFault } from '../../errors/storage-fault.js';
import { S3Error } from '../../files/storage/s3-client.js';
import { OutputFault, shownFault } from './output-error.js';

describe('what clients see of a failed output', () => {
  const body = '<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>';

  it.each([
    [new OutputFault('The results are too large.'), 'The results are too large.'],
    [
      storageFault(new S3Error(403, 'SignatureDoesNotMatch', body)),
      'The bucket responded with 403 SignatureDoesNotMatch.',
    ],
    [storageFault(new S3Error(500, undefined, body)), 'The bucket responded with 500.'],
    [storageFault(new S3Error(500, 'a <b>', body)), 'The bucket responded with 500.'],
    [
      storageFault(Object.assign(new Error('connect 10.0.0.1:443'), { code: 'ECONNREFUSED' })),
      'The bucket cannot be reached: ECONNREFUSED.',
    ],
    [notFound('secret'), 'The results could not be written.'],
    ['secret', 'The results could not be written.'],
  ])('has no word of a response: %s', (error, shown) => {
    expect(shownFault(error)).toBe(shown);
  });
});

import { flag, text } from './kinds.js';
import { setting, type Settings } from './setting.js';

/** A bucket, and how to reach it and to log in. */
export const S3_MEMBERS = {
  bucket: setting(text({ minLength: 3, maxLength: 63, pattern: ['^[a-z0-9][a-z0-9.-]+$', 'is no name of a bucket'] }), {
    description: 'The bucket.',
    required: true,
    example: 'llm-gateway-files',
  }),
  region: setting(text({ minLength: 1 }), { description: 'The region of the bucket.', default: 'us-east-1' }),
  endpoint: setting(text({ form: 'URL', check: endpointFault }), {
    description: 'The address of a server with the API of S3.',
    without: 'that of AWS in the region',
    example: 'https://minio.example.com',
  }),
  path_style: setting(flag(), {
    description:
      'Whether the bucket is part of the path rather than of the host, as most servers other than AWS need it.',
    default: false,
  }),
  prefix: setting(text({ pattern: ['^([A-Za-z0-9_-]+/)*$', 'must be empty, or names that each end with a slash'] }), {
    description: 'The beginning of the names of all objects.',
    default: '',
    example: 'gateway/',
  }),
  access_key_id: setting(text({ minLength: 1 }), {
    description: 'The id of the access key.',
    without: "that of the environment, or a login as by AWS's own tools",
    secret: true,
  }),
  secret_access_key: setting(text({ minLength: 1 }), {
    description: 'The secret of the access key.',
    without: 'the same',
    secret: true,
  }),
} satisfies Settings;

function endpointFault(url: string): string | undefined {
  return /^https?:\/\/[^/?#\s@]+(?:\/[^?#\s]*)?$/.test(url)
    ? undefined
    : 'must be an http or https URL without a query';
}

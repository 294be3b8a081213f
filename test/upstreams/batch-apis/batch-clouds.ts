import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderFile } from '../../fixtures/gateway-config.js';
import { AWS_KEY, GS_BUCKET, S3_BUCKET } from './objects.js';

/** A provider with a batch API of its own, and how the gateway reaches it at the fake provider. */
export interface BatchCloud {
  /** Of the entry and of the model. */
  readonly name: string;
  /** The model's id at the provider. */
  readonly model: string;
  /** @param folder in which credentials may be written */
  readonly entry: (url: string, folder: string) => ProviderFile;
}

/** Fewest lines of a part of the cloud that has such a rule. */
export const MIN_LINES = 10;

export function batchClouds(): readonly BatchCloud[] {
  return [
    {
      name: 'content',
      model: 'gemini-2.5-flash',
      entry: (url) => ({ type: 'google', base_url: `${url}/v1beta`, api_key: 'test-key' }),
    },
    {
      name: 'converse',
      model: 'us.amazon.nova-lite-v1:0',
      entry: (url) => ({
        type: 'bedrock',
        base_url: url,
        region: 'us-east-1',
        ...AWS_KEY,
        batch_location: `s3://${S3_BUCKET}/gateway`,
        batch_storage_endpoint: url,
        batch_role_arn: 'arn:aws:iam::123456789012:role/batches',
        batch_min_tasks: MIN_LINES,
      }),
    },
    { name: 'predict', model: 'gemini-2.5-flash', entry: predictionEntry },
    { name: 'predict-claude', model: 'claude-sonnet-4-5@20250929', entry: predictionEntry },
  ];
}

function predictionEntry(url: string, folder: string): ProviderFile {
  const file = join(folder, 'google.json');
  const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' };
  writeFileSync(file, JSON.stringify({ ...user, token_uri: `${url}/google/token` }));
  return {
    type: 'vertex',
    base_url: url,
    project: 'my-project',
    region: 'us-central1',
    credentials_file: file,
    batch_location: `gs://${GS_BUCKET}`,
    batch_storage_endpoint: url,
  };
}

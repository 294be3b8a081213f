import { exec } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { AwsEnvironment, AwsKeys, AwsRole } from '../../definitions/logins/aws-login.js';
import { DEFAULT_SESSION_NAME } from '../../definitions/logins/aws-login.js';
import type { Login } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { parseObject } from '../token-request.js';
import { readKeys } from './aws-keys.js';
import { containerKeys, instanceKeys } from './metadata-keys.js';
import { type Profile, profileOf } from './profile-file.js';
import { roleKeys, type Sts, webIdentityKeys } from './sts-keys.js';

const run = promisify(exec);
/** A file may be changed by its owner, or by a program that renews its keys. */
const FILE_REFRESH_MS = 60_000;
const PROCESS_TIMEOUT_MS = 30_000;
const MAX_PROCESS_OUTPUT_BYTES = 1_048_576;

/** The roles to which profiles refer. */
export interface ProfileContext {
  readonly environment: AwsEnvironment;
  readonly sts: Sts;
}

/**
 * Keys of a profile of AWS's shared files: those that it holds, of a role that it assumes, or of a program that it names.
 *
 * @returns undefined where there is no such profile, or where it has no credentials
 * @throws LoginError where the profile cannot be used
 */
export async function profileKeys(
  name: string,
  context: ProfileContext,
  visited: readonly string[] = [],
): Promise<Login<AwsKeys> | undefined> {
  const { configFile, credentialsFile } = context.environment;
  const profile = profileOf(name, await textOf(configFile), await textOf(credentialsFile));
  if (profile === undefined) return undefined;
  const role = roleOf(name, profile);
  // A profile that refers to itself means its own keys.
  if (role !== undefined && !visited.includes(name))
    return keysByRole(name, profile, role, context, [...visited, name]);
  if (profile['aws_access_key_id'] !== undefined || profile['aws_secret_access_key'] !== undefined) {
    const names = { id: 'aws_access_key_id', secret: 'aws_secret_access_key', token: 'aws_session_token' };
    return { ...readKeys(`the AWS profile ${name}`, profile, names), refreshAt: Date.now() + FILE_REFRESH_MS };
  }
  if (profile['credential_process'] !== undefined) return processKeys(name, profile['credential_process']);
  const isSso = profile['sso_session'] !== undefined || profile['sso_start_url'] !== undefined;
  if (isSso) {
    throw new LoginError(
      `The AWS profile ${name} logs in by SSO, which needs a person. Name another profile, or give it credential_process = aws configure export-credentials --profile NAME --format process`,
      false,
    );
  }
  return undefined;
}

function roleOf(profileName: string, profile: Profile): AwsRole | undefined {
  const arn = profile['role_arn'];
  if (arn === undefined || arn === '') return undefined;
  if (profile['mfa_serial'] !== undefined) {
    throw new LoginError(
      `The AWS profile ${profileName} has mfa_serial, which needs a person. Name another profile.`,
      false,
    );
  }
  const duration = Number(profile['duration_seconds']);
  return {
    arn,
    sessionName: profile['role_session_name'] ?? DEFAULT_SESSION_NAME,
    ...(profile['external_id'] !== undefined && { externalId: profile['external_id'] }),
    ...(Number.isInteger(duration) && { durationSeconds: duration }),
  };
}

async function keysByRole(
  name: string,
  profile: Profile,
  role: AwsRole,
  context: ProfileContext,
  visited: readonly string[],
): Promise<Login<AwsKeys>> {
  const { web_identity_token_file: tokenFile, source_profile: sourceProfile, credential_source: source } = profile;
  if (tokenFile !== undefined) return webIdentityKeys(context.sts, role, tokenFile);
  if (sourceProfile === undefined && source === undefined) {
    throw new LoginError(
      `The AWS profile ${name} has role_arn, but none of source_profile, credential_source and web_identity_token_file.`,
      false,
    );
  }
  if (sourceProfile !== undefined && sourceProfile !== name && visited.includes(sourceProfile)) {
    throw new LoginError(
      `The AWS profile ${name} leads back to itself: ${[...visited, sourceProfile].join(', ')}.`,
      false,
    );
  }
  const base =
    sourceProfile === undefined
      ? await keysOfSource(name, source ?? '', context.environment)
      : await profileKeys(sourceProfile, context, visited);
  if (base === undefined) {
    throw new LoginError(
      `The AWS profile ${sourceProfile ?? ''}, which ${name} names, does not exist or has no keys.`,
      false,
    );
  }
  return roleKeys(context.sts, role, base.value);
}

async function keysOfSource(name: string, source: string, environment: AwsEnvironment): Promise<Login<AwsKeys>> {
  const { keys, container, instanceEndpoint } = environment;
  if (source === 'Environment' && keys !== undefined) return { value: keys, expiresAt: Infinity };
  if (source === 'EcsContainer' && container !== undefined) return containerKeys(container);
  if (source === 'Ec2InstanceMetadata' && instanceEndpoint !== undefined) return instanceKeys(instanceEndpoint);
  const known = ['Environment', 'EcsContainer', 'Ec2InstanceMetadata'];
  throw new LoginError(
    known.includes(source)
      ? `The AWS profile ${name} takes its credentials from ${source}, where there are none.`
      : `The AWS profile ${name} has credential_source = ${source}. Known are ${known.join(', ')}.`,
    false,
  );
}

/** The program writes keys to standard output, as AWS documents `credential_process`. The profile's owner chose the program. */
async function processKeys(name: string, command: string): Promise<Login<AwsKeys>> {
  const service = `credential_process of the AWS profile ${name}`;
  let stdout: string;
  try {
    ({ stdout } = await run(command, {
      timeout: PROCESS_TIMEOUT_MS,
      maxBuffer: MAX_PROCESS_OUTPUT_BYTES,
      windowsHide: true,
    }));
  } catch (error) {
    // Its message holds the command and what it wrote.
    const code = (error as { code?: unknown }).code;
    throw new LoginError(
      `${service} failed (${typeof code === 'number' || typeof code === 'string' ? code : 'it took too long'}).`,
      true,
    );
  }
  const body = parseObject(stdout);
  if (body === undefined) throw new LoginError(`${service} wrote no JSON object.`, false);
  if (body['Version'] !== 1) throw new LoginError(`${service} wrote another Version than 1.`, false);
  return readKeys(service, body, { id: 'AccessKeyId', secret: 'SecretAccessKey', token: 'SessionToken' });
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new LoginError(`The AWS file ${path} cannot be read (${code}).`, false);
  }
}

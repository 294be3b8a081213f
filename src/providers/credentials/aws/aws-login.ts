import type { AwsKeys, AwsLogin, AwsSource } from '../../definitions/logins/aws-login.js';
import type { Login } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { containerKeys, instanceKeys } from './metadata-keys.js';
import { profileKeys } from './profile-keys.js';
import { roleKeys, type Sts, webIdentityKeys } from './sts-keys.js';

/**
 * AWS keys by the sources of a login: those of the first source that has any, or of the role that these assume. A source that
 * is there and fails ends the search, so that a fault never becomes another identity.
 *
 * @throws LoginError
 */
export async function logInToAws({ sources, role, environment }: AwsLogin, region: string): Promise<Login<AwsKeys>> {
  const sts: Sts = { endpoint: environment.stsEndpoint, region };
  for (const source of sources) {
    const found = await keysOf(source, environment, sts);
    if (found !== undefined) return role === undefined ? found : roleKeys(sts, role, found.value);
  }
  throw new LoginError(
    'There are no AWS credentials: no keys, no profile, no web identity and no container or machine with a role.',
    false,
  );
}

async function keysOf(
  source: AwsSource,
  environment: AwsLogin['environment'],
  sts: Sts,
): Promise<Login<AwsKeys> | undefined> {
  switch (source.kind) {
    case 'keys':
      return { value: source.keys, expiresAt: Infinity };
    case 'web-identity':
      return webIdentityKeys(sts, source.role, source.tokenFile);
    case 'container':
      return containerKeys(source.container);
    case 'instance':
      return instanceKeys(source.endpoint);
    case 'profile': {
      const found = await profileKeys(source.name, { environment, sts });
      if (found === undefined && source.isRequired) {
        const { configFile, credentialsFile } = environment;
        throw new LoginError(
          `The AWS profile ${source.name} does not exist in ${credentialsFile} or ${configFile}, or has no credentials.`,
          false,
        );
      }
      return found;
    }
  }
}

import { describeConfig } from './describe-config.js';
import { loadConfig } from './load-config.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('the description of a configuration', () => {
  it('names how each provider logs in, and no secret', () => {
    const folder = mkdtempSync(join(tmpdir(), 'describe-'));
    const providers: Readonly<Record<string, [entry: string, login: string]>> = {
      key: ['{ type: openai, base_url: "http://a.example/v1", api_key: canary-1 }', 'key set'],
      keys: ['{ type: bedrock, access_key_id: canary-2, secret_access_key: canary-3 }', 'access keys set'],
      profile: ['{ type: bedrock, profile: production }', 'profile production'],
      web: [
        '{ type: bedrock, web_identity_token_file: /t, role_arn: "arn:aws:iam::123456789012:role/a" }',
        'web identity',
      ],
      machine: ['{ type: bedrock }', "profile default, else the machine's role"],
      role: [
        '{ type: bedrock, role_arn: "arn:aws:iam::123456789012:role/b" }',
        "profile default, else the machine's role, for the role arn:aws:iam::123456789012:role/b",
      ],
      google: ['{ type: vertex }', "the machine's own login"],
      file: ['{ type: vertex, credentials_file: /f.json }', 'credentials file set'],
      secret: [
        '{ type: azure, resource_name: r, tenant_id: t, client_id: c, client_secret: canary-4 }',
        'Entra ID by client secret',
      ],
      managed: ['{ type: azure, resource_name: r, managed_identity: system }', 'Entra ID by managed identity'],
    };
    try {
      const lines = Object.entries(providers).map(([name, [entry]]) => `  ${name}: ${entry}`);
      writeFileSync(join(folder, 'gateway.yaml'), `providers:\n${lines.join('\n')}\n`);
      const text = describeConfig(loadConfig({ env: { AWS_REGION: 'eu-west-1' }, cwd: folder }), []);
      const logins = Object.keys(providers).map((name) => {
        return text
          .split('\n')
          .find((line) => line.startsWith(`    ${name} `))
          ?.split('  ')
          .at(-1);
      });
      expect(logins).toEqual(Object.values(providers).map(([, login]) => login));
      expect(text).not.toContain('canary');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

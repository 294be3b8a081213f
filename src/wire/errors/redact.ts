import type { ProviderConfig } from '../../config/gateway-config.js';

/** Removes what an operator would not show from a text that is passed on to a client. */
export type Redact = (text: string) => string;

/** Tokens that look like keys of known vendors, masked ones (`sk-pro****abcd`) too. */
const KEY_LIKE =
  /\b(?:sk|pk|rk|gsk|xai|hf|nvapi|fw|r8|csk|tgp|pplx|glhf)[-_][\w*.-]{6,}|\bAIza[\w-]{20,}|\bBearer\s+[\w.~+/=-]{8,}/gi;

const SECRET_HEADER = /auth|key|token|secret|cookie|password/i;

/** Replaces the provider's key, its cloud credentials, its configured secret headers, its address and its host. */
export function redactor({
  apiKey,
  baseUrl,
  headers,
  cloud,
}: Pick<ProviderConfig, 'apiKey' | 'baseUrl' | 'headers' | 'cloud'>): Redact {
  const { host, hostname, origin } = new URL(baseUrl);
  const secrets = Object.entries(headers)
    .filter(([name, value]) => SECRET_HEADER.test(name) && value.length >= 6)
    .map(([, value]) => value);
  for (const secret of [apiKey, ...cloudSecrets(cloud)]) {
    if (secret !== undefined && secret !== '') secrets.push(secret);
  }
  const addresses = [baseUrl, origin];
  // A bare word such as `vllm` or `localhost` is no secret, and may be part of a sentence.
  if (host !== hostname) addresses.push(host);
  if (hostname.includes('.')) addresses.push(hostname);
  const known = [...secrets, ...addresses]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(known.join('|'), 'gi');
  return (text) => text.replace(pattern, '[redacted]').replace(KEY_LIKE, '[redacted]');
}

/** What an entry and the environment hold; what a login fetches is known to the request that carries it. */
function cloudSecrets(cloud: ProviderConfig['cloud'] = {}): (string | undefined)[] {
  const { accessKeyId, secretAccessKey, sessionToken, aws, entra } = cloud;
  const { keys, container } = aws?.environment ?? {};
  return [
    accessKeyId,
    secretAccessKey,
    sessionToken,
    keys?.accessKeyId,
    keys?.secretAccessKey,
    keys?.sessionToken,
    container?.token,
    entra?.kind === 'client-secret' ? entra.clientSecret : undefined,
    entra?.kind === 'identity-endpoint' ? entra.identityHeader : undefined,
  ];
}

/** URLs, IP addresses, hosts with a port, and names of a private network. */
const ADDRESSES =
  /\b[a-z][a-z\d+.-]*:\/\/[^\s"'<>)\]]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[\da-f:]*:[\da-f:]*:[\da-f:]*\](?::\d+)?|\b[\w-]+(?:\.[\w-]+)*\.(?:internal|local|localdomain|lan|intra|corp|svc)\b(?::\d+)?|\b(?:localhost|[\w-]+(?:\.[\w-]+)+):\d{2,5}\b/gi;

/** For words that come out of an upstream's own failure, which may name machines behind it. */
export function withoutAddresses(text: string): string {
  return text.replace(ADDRESSES, '[redacted]');
}

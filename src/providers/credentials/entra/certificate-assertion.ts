import { createHash, createPrivateKey, randomUUID, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { LoginError } from '../login-error.js';

/** Seconds. Long enough for clocks that differ. */
const LIFETIME_SECONDS = 600;
const PRIVATE_KEY = /-----BEGIN (?:RSA )?PRIVATE KEY-----[^]+?-----END (?:RSA )?PRIVATE KEY-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/;

/**
 * The signed statement by which an application proves that it has the private key of its certificate: a JWT as Entra ID
 * documents it for certificates.
 *
 * @param pem the certificate and its private key, not encrypted, in any order
 * @param audience the URL of the token endpoint
 * @throws LoginError without the content of the file
 */
export function certificateAssertion(pem: string, clientId: string, audience: string): string {
  const { key, certificate } = readPem(pem);
  const now = Math.floor(Date.now() / 1_000);
  const header = {
    alg: 'RS256',
    typ: 'JWT',
    x5t: createHash('sha1').update(certificate.raw).digest('base64url'),
    'x5t#S256': createHash('sha256').update(certificate.raw).digest('base64url'),
  };
  const claims = {
    aud: audience,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: now - LIFETIME_SECONDS,
    iat: now,
    exp: now + LIFETIME_SECONDS,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

function readPem(pem: string): { readonly key: KeyObject; readonly certificate: X509Certificate } {
  try {
    const key = createPrivateKey(PRIVATE_KEY.exec(pem)?.[0] ?? '');
    const certificate = new X509Certificate(CERTIFICATE.exec(pem)?.[0] ?? '');
    if (key.asymmetricKeyType === 'rsa' && certificate.checkPrivateKey(key)) return { key, certificate };
  } catch {
    // The reason may quote the file.
  }
  throw new LoginError(
    'The certificate file must hold a certificate and its RSA private key in PEM, and the key must not be encrypted.',
    false,
  );
}

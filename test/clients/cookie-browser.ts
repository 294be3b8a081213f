import { request } from 'undici';

interface Cookie {
  readonly origin: string;
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly isStrict: boolean;
  readonly isSecure: boolean;
}

/** A response at the end of redirects. */
export interface Visit {
  readonly status: number;
  readonly url: URL;
  /** Where it leads, if that was not followed. */
  readonly location: URL | undefined;
  readonly text: string;
  /** All addresses, in their order, the last one included. */
  readonly trail: readonly URL[];
}

const MAX_REDIRECTS = 15;

/**
 * Follows redirects between sites as a browser does: with cookies by origin and path, those that are Secure over HTTPS alone, and
 * those that are `SameSite=Strict` only where no other site has led to the request. An origin may stand for a server behind a proxy
 * that ends TLS.
 */
export class CookieBrowser {
  private cookies: Cookie[] = [];

  /** @param proxied origins as the browser sees them, with the origins that serve them */
  constructor(private readonly proxied: Readonly<Record<string, string>>) {}

  /** The `name=value` of a cookie; undefined where there is none. */
  cookie(origin: string, name: string): string | undefined {
    const found = this.cookies.find((each) => each.origin === origin && each.name === name);
    return found === undefined ? undefined : `${name}=${found.value}`;
  }

  /** Opens an address, as from the address bar. */
  async open(address: string | URL, most = MAX_REDIRECTS): Promise<Visit> {
    let url = new URL(address);
    const trail: URL[] = [];
    for (;;) {
      trail.push(url);
      const response = await this.send(
        url,
        trail.every(({ origin }) => origin === url.origin),
      );
      const { location: next } = response.headers;
      const location = typeof next === 'string' ? new URL(next, url) : undefined;
      const text = await response.body.text();
      if (location === undefined || trail.length > most) {
        return { status: response.statusCode, url, location, text, trail };
      }
      url = location;
    }
  }

  private async send(url: URL, isSameSite: boolean): ReturnType<typeof request> {
    const { origin, pathname, protocol } = url;
    const sent = this.cookies.filter(
      (each) =>
        each.origin === origin &&
        pathname.startsWith(each.path) &&
        (isSameSite || !each.isStrict) &&
        (!each.isSecure || protocol === 'https:'),
    );
    const target = new URL(pathname + url.search, this.proxied[origin] ?? origin);
    const response = await request(target, {
      headers: {
        accept: 'text/html',
        ...(sent.length > 0 && { cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; ') }),
        ...(this.proxied[origin] !== undefined && { 'x-forwarded-proto': protocol.slice(0, -1), host: url.host }),
      },
    });
    for (const line of [response.headers['set-cookie'] ?? []].flat()) this.keep(origin, line);
    return response;
  }

  private keep(origin: string, line: string): void {
    const [pair = '', ...rest] = line.split(/; ?/);
    const name = pair.slice(0, pair.indexOf('='));
    const attributes = new Map(rest.map((each) => [each.split('=')[0]?.toLowerCase(), each.split('=')[1] ?? '']));
    const path = attributes.get('path') ?? '/';
    const isGone = attributes.get('max-age') === '0' || Date.parse(attributes.get('expires') ?? '') < Date.now();
    this.cookies = this.cookies.filter((each) => each.origin !== origin || each.name !== name || each.path !== path);
    if (isGone) return;
    this.cookies.push({
      origin,
      name,
      value: pair.slice(name.length + 1),
      path,
      isStrict: attributes.get('samesite')?.toLowerCase() === 'strict',
      isSecure: attributes.has('secure'),
    });
  }
}

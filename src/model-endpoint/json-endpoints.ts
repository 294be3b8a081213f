import { Injectable } from '@nestjs/common';
import type { JsonEndpoint } from './json-endpoint.js';

/** Where URLs of requests have a host. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;
const REST = /\/*(?:[?#].*)?$/;

/** Every endpoint of JSON, by its path and by what a stored task says. Each adds itself to it. */
@Injectable()
export class JsonEndpoints {
  private readonly endpoints: JsonEndpoint[] = [];

  add(endpoint: JsonEndpoint): void {
    this.endpoints.push(endpoint);
  }

  /** Paths in alphabetical order. */
  get paths(): readonly string[] {
    return this.endpoints.map(({ path }) => path).sort();
  }

  /** @param url a path or a whole URL, also without the version or behind a prefix such as Azure's */
  at(url: string): JsonEndpoint | undefined {
    const path = `/${url.replace(ORIGIN, '').replace(REST, '').replace(/^\/+/, '')}`;
    const exact = this.endpoints.find((endpoint) => endpoint.path === path);
    if (exact !== undefined) return exact;
    const found = this.endpoints.filter((endpoint) => path.endsWith(endpoint.path.slice('/v1'.length)));
    // `/chat/completions` ends like `/completions`, which is another endpoint.
    return found.sort((a, b) => b.path.length - a.path.length)[0];
  }

  of(operation: string, dialect: string | null): JsonEndpoint | undefined {
    return this.endpoints.find((endpoint) => endpoint.operation === operation && endpoint.dialect === dialect);
  }
}

import { Injectable } from '@nestjs/common';
import type { GatewayError } from '../errors/gateway-error.js';

/** Writes the body of an error in the format of an API's clients. */
export type ErrorWriter = (error: GatewayError, requestId: string) => object;

/** The form of errors below paths whose clients expect another than OpenAI's. */
@Injectable()
export class ErrorFormats {
  private readonly patterns: { readonly pattern: RegExp; readonly write: ErrorWriter }[] = [];
  private readonly writers: { readonly prefix: string; readonly write: ErrorWriter }[] = [];

  /** @param prefix such as `/v1/messages`; the path itself and all below it, with and without `/v1` */
  add(prefix: string, write: ErrorWriter): void {
    this.writers.push({ prefix, write });
    if (prefix.startsWith('/v1/')) this.writers.push({ prefix: prefix.slice('/v1'.length), write });
  }

  /** @param pattern of paths without their query, where a prefix does not distinguish them */
  addPaths(pattern: RegExp, write: ErrorWriter): void {
    this.patterns.push({ pattern, write });
  }

  /** @param url path and query of a request */
  of(url: string): ErrorWriter | undefined {
    const [path = ''] = this.patterns.length === 0 ? [] : url.split('?', 1);
    const matched = this.patterns.find(({ pattern }) => pattern.test(path));
    if (matched !== undefined) return matched.write;
    return this.writers.find(({ prefix }) => {
      if (!url.startsWith(prefix)) return false;
      const next = url.charAt(prefix.length);
      return next === '' || next === '/' || next === '?' || next === ':';
    })?.write;
  }
}

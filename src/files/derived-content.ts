import { Injectable } from '@nestjs/common';
import { notFound } from '../errors/gateway-error.js';
import type { StoredFile } from './stored-file.entity.js';

type Source = (file: StoredFile) => AsyncIterable<Buffer>;

/** The content of files that is not in the storage but made when it is read: the results of batches. */
@Injectable()
export class DerivedContent {
  private source: Source | undefined;

  /** @param source makes the content of a file with a `batchId` */
  setSource(source: Source): void {
    this.source = source;
  }

  /** @throws GatewayError 404 where nothing makes the content */
  read(file: StoredFile): AsyncIterable<Buffer> {
    if (this.source === undefined) throw notFound(`The content of the file '${file.id}' is not available.`);
    return this.source(file);
  }
}

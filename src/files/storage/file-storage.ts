/**
 * Keeps the content of files by id. Content is written once, whole, and never changes. Implementations hold no more than a chunk of
 * a file in memory.
 */
export abstract class FileStorage {
  /**
   * Stores content that is complete when the promise resolves, and of which nothing is there when it rejects.
   *
   * @throws GatewayError 507 when there is no room, 503 when the storage cannot be written
   */
  abstract write(id: string, content: AsyncIterable<Buffer>): Promise<void>;

  /** The content in chunks. @throws GatewayError 404 if there is none, 503 when it cannot be read */
  abstract read(id: string): AsyncIterable<Buffer>;

  /** Removes content, whether there is any or not. */
  abstract delete(id: string): Promise<void>;

  /** Ids of content that was stored before a time, in epoch milliseconds, and of writes that a crash ended. */
  abstract listBefore(time: number): AsyncIterable<string>;
}

import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../errors/gateway-error.js';
import { MultipartUploads, type Upload } from '../../files/storage/multipart-uploads.js';
import type { S3Client } from '../../files/storage/s3-client.js';
import type { BatchJob } from '../batch-job.entity.js';
import { ResultReader } from '../results/result-reader.js';
import { UNKNOWN_UPLOAD, type BatchOutput } from './batch-output.entity.js';
import { OutputBuckets } from './output-buckets.js';
import { OutputFault, s3ErrorOf } from './output-error.js';
import { OutputStore } from './output-store.js';
import { PartCutter, type Place } from './part-cutter.js';
import { resultPieces } from './result-pieces.js';

/** Bytes of a part: what an output holds in memory, twice for a moment. */
const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
const CONTENT_TYPE = 'application/x-ndjson';
/** Metadata of the object, by which an upload whose completion was not recorded is known again. */
const JOB_HEADER = 'x-amz-meta-batch-id';
/** Responses of S3 after which an upload cannot be completed. */
const LOST_UPLOAD = new Set(['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall']);

/** An output that this process holds. */
export interface TakenOutput {
  readonly output: BatchOutput;
  /** The tags of the parts that the bucket has. An attempt adds its own, and keeps the output up to date. */
  readonly tags: string[];
}

/**
 * Writes the results of a job that has ended to its bucket. Results do not change any more, so their bytes are the same at each attempt.
 * Each part is recorded with the place where the next one begins, after the bucket has it: an attempt goes on after the last recorded
 * part, and a part that was not recorded is uploaded again under its number, in place of itself. So no line is lost or doubled, even
 * where two processes write at once.
 */
@Injectable()
export class OutputWriter {
  constructor(
    private readonly store: OutputStore,
    private readonly buckets: OutputBuckets,
    private readonly reader: ResultReader,
  ) {}

  /** @returns the bytes of the object. @throws OutputLost, the reason of the signal, and why the attempt failed */
  async write({ output, tags }: TakenOutput, job: BatchJob, signal: AbortSignal): Promise<number> {
    const client = await this.clientOf(output, job);
    const uploads = new MultipartUploads(client);
    const { objectKey: key, jobId } = output;
    const headers = { 'content-type': CONTENT_TYPE, [JOB_HEADER]: jobId };
    let upload = await this.openUpload(output, uploads);
    let { bytes } = output;
    const cutter = new PartCutter(PART_BYTES);
    const putPart = async (body: Buffer, next: Place): Promise<void> => {
      if (tags.length === MAX_PARTS) {
        throw new OutputFault(`The results are larger than the ${MAX_PARTS} parts of an upload, 80 GiB.`);
      }
      if (upload === undefined) {
        await this.store.beginUpload(jobId);
        output.uploadId = UNKNOWN_UPLOAD;
        upload = { key, uploadId: await uploads.begin(key, headers, signal) };
        output.uploadId = upload.uploadId;
        await this.store.setUpload(jobId, upload.uploadId);
      }
      const number = tags.length + 1;
      const tag = await uploads.put(upload, number, body, signal);
      bytes += body.length;
      await this.store.addPart(output, { number, tag, bytes, next });
      tags.push(tag);
      output.attempts = 0;
    };
    try {
      let last = output.afterIndex;
      for await (const piece of resultPieces(this.reader, job, { after: last, skip: output.skipBytes })) {
        signal.throwIfAborted();
        for (const { body, next } of cutter.add(piece)) await putPart(body, next);
        last = piece.place.after;
      }
      const rest = cutter.rest();
      if (upload === undefined) {
        // A process that was stopped for longer than its lease must not replace an object that was written meanwhile.
        const confirm = (): Promise<void> => this.store.extend(jobId);
        await client.send({ method: 'PUT', key, headers, body: rest, signal, confirm });
        bytes = rest.length;
      } else {
        if (rest.length > 0) await putPart(rest, { after: job.taskCount, skip: 0 });
        await uploads.complete(upload, tags, signal);
      }
    } catch (error) {
      const code = s3ErrorOf(error)?.code;
      if (code === undefined || !LOST_UPLOAD.has(code) || upload === undefined) throw error;
      if (!(await this.isWritten(client, output, bytes, signal))) {
        await this.store.restart(output);
        output.uploadId = null;
        await uploads.abort(upload).catch(() => undefined);
        throw error;
      }
    }
    await this.store.end(output, bytes);
    return bytes;
  }

  /** Frees the parts of an output that was abandoned. */
  async discard({ output }: TakenOutput, job: BatchJob): Promise<void> {
    const { uploadId, objectKey: key } = output;
    if (uploadId === null) return;
    const uploads = new MultipartUploads(await this.clientOf(output, job));
    if (uploadId === UNKNOWN_UPLOAD) await this.abortUnknown(output, uploads);
    else await uploads.abort({ key, uploadId });
  }

  private clientOf({ bucket, objectKey: key }: BatchOutput, { keyId }: BatchJob): Promise<S3Client> {
    const client = this.buckets.clientOf({ bucket, key }, keyId);
    if (client !== undefined) return client;
    throw new OutputFault("The operator does not allow this object any more, with the setting 'batch.output_buckets'.");
  }

  private async openUpload(output: BatchOutput, uploads: MultipartUploads): Promise<Upload | undefined> {
    const { uploadId, objectKey: key } = output;
    if (uploadId === UNKNOWN_UPLOAD) await this.abortUnknown(output, uploads);
    return uploadId === null || uploadId === UNKNOWN_UPLOAD ? undefined : { key, uploadId };
  }

  /** Aborts uploads of the object, one of which may be that of a process that crashed before it recorded the id. */
  private async abortUnknown({ objectKey }: BatchOutput, uploads: MultipartUploads): Promise<void> {
    for await (const each of uploads.unfinished(objectKey)) if (each.key === objectKey) await uploads.abort(each);
  }

  /** Whether the upload was completed by an attempt that could not record it. */
  private async isWritten(
    client: S3Client,
    { objectKey: key, jobId }: BatchOutput,
    bytes: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const { headers } = await client.send({ method: 'HEAD', key, signal });
      return headers[JOB_HEADER] === jobId && Number(headers['content-length']) === bytes;
    } catch (error) {
      if (error instanceof GatewayError && error.status === 404) return false;
      throw error;
    }
  }
}

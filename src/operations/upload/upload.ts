import type { IncomingMessage } from 'node:http';
import { invalidRequest } from '../../errors/gateway-error.js';
import { BodySpool } from '../../http/body-spool.js';
import { streamBody, type BodyLimit } from '../../http/body-stream.js';
import { boundaryOf } from '../../http/multipart/boundary.js';
import { MultipartReader, type MultipartPart } from '../../http/multipart/multipart-reader.js';
import { editForm, formDataType, lengthOf, type ReadForm } from '../../http/multipart/edit-form.js';

/** A body that can be sent as often as an attempt needs it. */
export interface RepeatableBody {
  readonly contentType: string;
  /** Bytes. */
  readonly length: number;
  /** The body from its start. */
  open(): AsyncIterable<Buffer>;
}

/** The fields and files that a form may have. */
export interface UploadRules {
  /** Fields that the gateway reads; each may be given once. */
  readonly keep: ReadonlySet<string>;
  /** Names of the parts that hold a file. At least one of them is required; the error for a missing file names the first. */
  readonly files: readonly string[];
  /** Files of all names together. */
  readonly maxFiles: number;
  readonly limit: BodyLimit;
  /** Where a body that is too long for memory is kept. */
  readonly directory: string;
}

/**
 * A form with files, received whole. The provider gets the same bytes with another model name, and the form can be sent
 * again in a retry or to a fallback. Must be disposed of.
 */
export class Upload {
  /** The fields that are kept, by name. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(
    private readonly form: ReadForm,
    private readonly spool: BodySpool,
    private readonly removed: ReadonlySet<string> = new Set(),
  ) {
    this.fields = new Map(
      form.parts.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
    );
  }

  /** The parts that are files, in order. */
  get files(): readonly MultipartPart[] {
    return this.form.parts.filter(({ isFile }) => isFile);
  }

  /** Every name that the form has, with the text of the fields that are kept. */
  get named(): Readonly<Record<string, string | undefined>> {
    return Object.fromEntries(this.form.parts.map(({ name, value }) => [name, value]));
  }

  /** The upload without the parts of these names, which the provider does not get. */
  without(names: readonly string[]): Upload {
    return new Upload(this.form, this.spool, new Set([...this.removed, ...names]));
  }

  /** The body for a provider, to which the model has another name. */
  bodyFor(model: string): RepeatableBody {
    const { spool } = this;
    const segments = editForm(this.form, { field: 'model', value: model, remove: this.removed });
    return {
      contentType: formDataType(this.form.boundary),
      length: lengthOf(segments),
      async *open() {
        for (const segment of segments) {
          if ('from' in segment) yield* spool.read(segment.from, segment.to);
          else yield segment;
        }
      },
    };
  }

  /** The content of a file in chunks. */
  content(file: MultipartPart): AsyncIterable<Buffer> {
    return this.spool.read(file.start, file.end);
  }

  /** A stretch of a file. */
  async read(file: MultipartPart, from: number, length: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const start = file.start + from;
    for await (const chunk of this.spool.read(start, Math.min(file.end, start + length))) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  dispose(): Promise<void> {
    return this.spool.dispose();
  }
}

/**
 * Receives a form. Memory does not grow with its size: beyond 256 KB the form is written to an unlinked file. A provider is
 * called only when the whole form has arrived and is well-formed, so that a slow client does not hold a slot of a provider, and
 * fields after the file are known as well (most clients send `model` after it).
 *
 * @throws GatewayError 400 that names the fault, 413 over the limit, 415 for another content type, 507 or 503 where the disk
 *   cannot take it, 499 when the client disconnects
 */
export async function readUpload(request: IncomingMessage, rules: UploadRules): Promise<Upload> {
  const boundary = boundaryOf(request.headers['content-type'] ?? '');
  const reader = new MultipartReader({ boundary, keep: rules.keep });
  const spool = new BodySpool(rules.directory);
  try {
    await streamBody(request, rules.limit, {
      write: (chunk) => {
        reader.write(chunk);
        return spool.write(chunk);
      },
    });
    reader.end();
    assertFiles(reader.parts, rules);
    const { parts, size, firstBoundary } = reader;
    return new Upload({ boundary, parts, size, firstBoundary }, spool);
  } catch (error) {
    await spool.dispose();
    throw error;
  }
}

function assertFiles(parts: readonly MultipartPart[], { files: names, maxFiles }: UploadRules): void {
  const [expected = 'file'] = names;
  const part = parts.find(({ name }) => names.includes(name));
  if (part === undefined) {
    throw invalidRequest(
      `Missing required file '${expected}'. Send it as a part of the form with a file name.`,
      expected,
      'missing_required_parameter',
    );
  }
  if (!part.isFile) {
    throw invalidRequest(
      `'${part.name}' must be a file. Send its part with a file name (filename="...").`,
      part.name,
      'invalid_type',
    );
  }
  if (part.end === part.start) {
    throw invalidRequest(`The file '${part.name}' is empty.`, part.name, 'invalid_value');
  }
  if (parts.filter(({ isFile }) => isFile).length > maxFiles) {
    throw invalidRequest(
      `The form has more files than this route takes (${maxFiles}).`,
      part.name,
      'array_above_max_length',
    );
  }
}

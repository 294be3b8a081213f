import { charsetOf } from '../content-type.js';
import { invalidMultipart } from './invalid-multipart.js';

/** The values in the header lines of a part. */
export interface PartHead {
  /** Name of the form field. */
  readonly name: string;
  /** Whether the part is a file: it has a file name, be it empty. */
  readonly isFile: boolean;
  /** As the client wrote it; undefined where the part has none that could be read. */
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  /** Charset that the content type names, in lower case. */
  readonly charset: string | undefined;
}

const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/s;
const FORM_DATA = /^form-data[ \t]*(?=;|$)/i;
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"\\]+))[ \t]*/gy;
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;
/** Encodings under which the bytes of a part are its content. */
const PLAIN_ENCODINGS = new Set(['7bit', '8bit', 'binary']);

/**
 * Reads the header lines of a part. Anything that two parsers could interpret differently is refused: the provider must see the
 * same fields that the gateway has checked.
 *
 * @param lines without the empty line at their end
 * @param part number of the part, from 1, for the message
 * @throws GatewayError 400 `invalid_multipart`
 */
export function readPartHead(lines: string, part: number): PartHead {
  const headers = new Map<string, string>();
  for (const line of lines === '' ? [] : lines.split('\r\n')) {
    const [, name = '', value = ''] = HEADER_LINE.exec(line) ?? [];
    if (name === '' || CONTROL.test(value)) throw invalidMultipart(`Part ${part} has a malformed header line.`);
    const key = name.toLowerCase();
    if (headers.has(key)) throw invalidMultipart(`Part ${part} has the header '${key.slice(0, 60)}' twice.`);
    headers.set(key, value);
  }
  const encoding = headers.get('content-transfer-encoding');
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding.toLowerCase())) {
    throw invalidMultipart(
      `Part ${part} has the content-transfer-encoding '${encoding.slice(0, 60)}', which forms do not use. Send its bytes as they are.`,
    );
  }
  const parameters = dispositionOf(headers.get('content-disposition'), part);
  const name = parameters.get('name');
  if (name === undefined || name === '') {
    throw invalidMultipart(
      `Part ${part} has no name. Send 'content-disposition: form-data; name="..."' with each part.`,
    );
  }
  if (name.includes('\\') || name.includes('\u{fffd}') || parameters.has('name*')) {
    throw invalidMultipart(`The name of part ${part} has escapes or is not UTF-8. Send it as plain text in quotes.`);
  }
  const contentType = headers.get('content-type');
  return {
    name,
    isFile: parameters.has('filename') || parameters.has('filename*'),
    filename: parameters.get('filename'),
    contentType,
    charset: contentType === undefined ? undefined : charsetOf(contentType),
  };
}

/** The parameters of a content disposition, names in lower case, values between their quotes as they are. */
function dispositionOf(disposition: string | undefined, part: number): ReadonlyMap<string, string> {
  const kind = disposition === undefined ? null : FORM_DATA.exec(disposition);
  if (disposition === undefined || kind === null) {
    throw invalidMultipart(
      `Part ${part} has no 'content-disposition: form-data; name="..."'. Send it with each part of the form.`,
    );
  }
  const parameters = new Map<string, string>();
  let end = kind[0].length;
  PARAMETER.lastIndex = end;
  for (let match = PARAMETER.exec(disposition); match !== null; match = PARAMETER.exec(disposition)) {
    const [text, name = '', quoted, bare] = match;
    const key = name.toLowerCase();
    if (parameters.has(key)) throw invalidMultipart(`Part ${part} has '${key.slice(0, 60)}' twice in its disposition.`);
    parameters.set(key, quoted ?? bare ?? '');
    end += text.length;
  }
  if (end !== disposition.length && disposition.slice(end).trim() !== ';') {
    throw invalidMultipart(`Part ${part} has a malformed content-disposition.`);
  }
  return parameters;
}

/** First bytes of a format, at an offset. */
interface Magic {
  readonly type: string;
  readonly at?: number;
  readonly bytes: string;
  /** Further bytes that the format has, where the first ones are too few to distinguish it from other data. */
  readonly and?: { readonly at: number; readonly bytes: string };
}

/** In Latin-1. A RIFF or an ISO file is known by what follows. */
const MAGICS: readonly Magic[] = [
  { type: 'image/png', bytes: '\x89PNG\r\n\x1a\n' },
  { type: 'image/jpeg', bytes: '\xff\xd8\xff' },
  { type: 'image/gif', bytes: 'GIF8' },
  { type: 'image/webp', at: 8, bytes: 'WEBP' },
  // The size of its second header is below 256.
  { type: 'image/bmp', bytes: 'BM', and: { at: 15, bytes: '\0\0\0' } },
  { type: 'image/tiff', bytes: 'II*\0' },
  { type: 'image/tiff', bytes: 'MM\0*' },
  { type: 'image/avif', at: 4, bytes: 'ftypavif' },
  { type: 'image/heic', at: 4, bytes: 'ftyphei' },
  { type: 'application/pdf', bytes: '%PDF-' },
  { type: 'audio/wav', at: 8, bytes: 'WAVE' },
  { type: 'audio/mpeg', bytes: 'ID3' },
  { type: 'audio/flac', bytes: 'fLaC' },
  { type: 'audio/ogg', bytes: 'OggS' },
  { type: 'video/webm', bytes: '\x1aE\xdf\xa3' },
  { type: 'video/quicktime', at: 4, bytes: 'ftypqt' },
  { type: 'video/mp4', at: 4, bytes: 'ftyp' },
];
/** Characters of base64 that hold the longest of these. */
const HEAD_CHARACTERS = 24;

/** The media type that the first bytes of base64 data show; undefined where they show none. */
export function sniffMediaType(base64: string): string | undefined {
  const head = Buffer.from(base64.slice(0, HEAD_CHARACTERS), 'base64').toString('latin1');
  return MAGICS.find(
    ({ bytes, at = 0, and }) => head.startsWith(bytes, at) && (and === undefined || head.startsWith(and.bytes, and.at)),
  )?.type;
}

/**
 * The type to send of base64 data. Its first bytes decide between formats of one family, since providers refuse an image that is
 * another than it says; a family that the client named is kept, because some formats hold sound as well as pictures.
 */
export function mediaTypeOf(base64: string, named: string): string {
  const [family = ''] = named.split('/', 1);
  const isVague = named === '' || named.endsWith('/*') || named === 'application/octet-stream';
  const sniffed = sniffMediaType(base64);
  if (sniffed === undefined) return named;
  const sameFamily = family === 'image' && sniffed.startsWith('image/');
  return isVague || sameFamily ? sniffed : named;
}

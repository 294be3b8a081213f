import type { JsonObject } from '../../runtime/json-value.js';
import { NOTHING_BILLED, type BilledUsage } from '../billed-tokens.js';
import type { RecordingDetail } from '../operation.js';
import { MediaCollector } from '../media/media-collector.js';
import { readMediaTokens, readReportedSeconds, readSeconds } from '../media/read-media-usage.js';
import { TranscriptionEstimate } from './transcription-estimate.js';
import type { TranscriptionRequest } from './transcription-request.js';

/** Characters of the text that are kept for the request log. */
const MAX_TEXT_CHARACTERS = 65_536;

/**
 * A recording is billed by the seconds or the tokens that the provider reports; where it reports neither (text and subtitles), by
 * the seconds that the file itself states.
 */
export class TranscriptionCollector extends MediaCollector {
  private text = '';
  private seconds: number | undefined;
  private tokens: BilledUsage | undefined;

  constructor(
    private readonly request: Pick<TranscriptionRequest, 'prompt' | 'duration'>,
    detail: RecordingDetail,
  ) {
    super(detail === 'content');
  }

  get billed(): BilledUsage | undefined {
    const { seconds, tokens } = this;
    if (seconds === undefined && tokens === undefined) return undefined;
    return {
      ...(tokens ?? NOTHING_BILLED),
      units: { audioSeconds: seconds ?? this.request.duration.likelySeconds },
    };
  }

  override estimate(): BilledUsage {
    return new TranscriptionEstimate(this.request).likely();
  }

  protected override readJson(json: JsonObject): void {
    super.readJson(json);
    const { type, text, delta, usage, duration } = json;
    this.tokens = readMediaTokens(usage, 'text') ?? this.tokens;
    this.seconds = readReportedSeconds(usage) ?? readSeconds(duration) ?? this.seconds;
    if (typeof text === 'string' && type !== 'transcript.text.segment') this.keep(text);
    else if (typeof delta === 'string') this.keep(this.text + delta);
  }

  protected override readText(body: Buffer): void {
    this.keep(body.toString('utf8', 0, MAX_TEXT_CHARACTERS));
  }

  protected override content(): JsonObject {
    return { text: this.text };
  }

  private keep(text: string): void {
    this.text = text.slice(0, MAX_TEXT_CHARACTERS);
  }
}

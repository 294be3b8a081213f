import type { JsonObject } from '../../runtime/json-value.js';
import type { BilledUsage } from '../billed-tokens.js';
import type { RecordingDetail } from '../operation.js';
import { MediaCollector } from '../media/media-collector.js';
import { readMediaTokens } from '../media/read-media-usage.js';
import { SpeechEstimate } from './speech-estimate.js';
import { speechCharacters, type SpeechRequest } from './speech-request.js';

/**
 * Speech is billed by its text or by tokens. Events report tokens; sound as it is reports nothing, so its tokens are estimated by
 * the length of the text.
 */
export class SpeechCollector extends MediaCollector {
  billed: BilledUsage | undefined;

  constructor(
    private readonly request: SpeechRequest,
    detail: RecordingDetail,
  ) {
    super(detail === 'content');
  }

  override estimate(): BilledUsage {
    return new SpeechEstimate(this.request).likely();
  }

  protected override readJson(json: JsonObject): void {
    super.readJson(json);
    const tokens = readMediaTokens(json['usage'], 'audio');
    if (tokens !== undefined) this.billed = { ...tokens, units: { characters: speechCharacters(this.request) } };
  }

  protected override content(): JsonObject {
    return { audio_bytes: this.bytes };
  }
}

import { GatewayError } from '../../errors/gateway-error.js';
import { readSpeechRequest } from './speech-request.js';

const request = { model: 'tts', input: 'Hello' };

function faultOf(body: unknown): string {
  try {
    readSpeechRequest(body);
    return 'none';
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.status} ${error.code} ${error.param}`;
  }
}

describe('readSpeechRequest', () => {
  it.each([undefined, null, 'alloy', { id: 'voice_1234' }])('takes the voice %j', (voice) => {
    expect(faultOf({ ...request, voice })).toBe('none');
  });

  it.each([[[null, null]], [['alloy']], 7, true])('refuses the voice %j', (voice) => {
    expect(faultOf({ ...request, voice })).toBe('400 invalid_type voice');
  });
});

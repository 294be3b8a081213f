import fc from 'fast-check';
import { withoutRequestText } from './without-request-text.js';

const request = {
  model: 'gpt-5',
  messages: [{ role: 'user', content: 'My password is hunter2secret, ask Ada Lovelace' }],
  metadata: { customer: 'ACME-4711' },
  max_tokens: 5,
};

it.each([
  [
    "Unsupported parameter: 'max_tokens' is not supported with this model",
    /'max_tokens' is not supported with this model/,
  ],
  ['Invalid text: hunter2secret is forbidden', /^Invalid text: … is forbidden$/],
  ['prefix_hunter2secretX was cut', /^… was cut$/],
  ['no such customer ACME-4711 (Lovelace)', /^no such … … \(…\)$/],
  ['The engine is overloaded', /^The engine is overloaded$/],
])('keeps of "%s" what the provider says itself', (text, expected) => {
  expect(withoutRequestText(request)(text)).toMatch(expected);
});

it('repeats no word of eight or more letters that a request brought, at any position and in any context', () => {
  const word = fc.stringMatching(/^[a-z]{4}\d[a-z0-9]{3,19}$/);
  fc.assert(
    fc.property(
      word,
      fc.constantFrom('content', 'user', 'tools', 'key'),
      fc.string(),
      fc.string(),
      (secret, place, before, after) => {
        const body =
          place === 'content'
            ? { messages: [{ role: 'user', content: `${before} ${secret} ${after}` }] }
            : place === 'key'
              ? { [secret]: 1 }
              : place === 'user'
                ? { user: secret }
                : { tools: [{ type: 'function', function: { name: secret } }] };
        const clean = withoutRequestText({ model: 'm', ...body });
        expect(clean(`Invalid value '${secret}' near "${secret}x" in ${secret}`)).not.toContain(secret);
      },
    ),
  );
});

it('says nothing of a request that is too large to compare with', () => {
  const huge = { model: 'm', messages: [{ content: 'word '.repeat(300_000) }] };
  expect(withoutRequestText(huge)('anything')).toBeUndefined();
  expect(withoutRequestText(huge)(undefined)).toBeUndefined();
});

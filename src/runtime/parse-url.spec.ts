import { parseUrl } from './parse-url.js';

describe('parseUrl', () => {
  it('gives the URL, or undefined', () => {
    expect(parseUrl('https://a.example/b')?.pathname).toBe('/b');
    for (const text of ['', 'a', 'http://', '//a']) expect(parseUrl(text)).toBeUndefined();
  });

  it('says the same of a host name outside ASCII, however often it is asked', () => {
    for (let round = 0; round < 50_000; round += 1) {
      if (parseUrl('http://münchen.example/') === undefined) throw new Error(`refused in round ${round}`);
    }
  });
});

import { readFile } from 'node:fs/promises';
import { LoginError } from './login-error.js';

/**
 * The text of a file that a platform renews. It is read at each login.
 *
 * @param name of the setting or variable that names the file, for errors
 * @throws LoginError where it cannot be read, is empty or has several lines
 */
export async function readTokenFile(path: string, name: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new LoginError(`The file of ${name}, ${path}, cannot be read (${code}).`, true);
  }
  if (text === '') throw new LoginError(`The file of ${name}, ${path}, is empty.`, true);
  if (/[^\x20-\x7e]/.test(text)) {
    throw new LoginError(`The file of ${name}, ${path}, holds more than one line of ASCII.`, false);
  }
  return text;
}

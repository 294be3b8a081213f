export interface Exception {
  readonly file: string;
  readonly phrase: string;
  readonly reason: string;
}

export interface Word {
  readonly pattern: RegExp;
  readonly use: string;
}

export declare const WORDS: readonly Word[];
export declare function findUses(
  file: string,
  text: string,
  exceptions?: readonly Exception[],
  words?: readonly Word[],
): string[];
export declare function uselessExceptions(exceptions: readonly Exception[], read: (file: string) => string): string[];
export function findNames(file: string, text: string): string[];

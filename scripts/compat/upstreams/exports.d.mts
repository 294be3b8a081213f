export const UPSTREAMS: readonly { readonly name: string; readonly model: string; readonly format: unknown }[];
export class Play {
  constructor(name: 'edit' | 'overflow' | 'rate-limit' | 'overload' | 'abort', folder: string);
  readonly problems: string[];
  readonly refusals: string[];
  readonly turns: string[];
  readonly prompt: string;
  readonly finalText: string;
  readonly isFinished: boolean;
  readonly task: { readonly folder: string; readonly file: string; readonly line: string };
  sign(thinking: string): string;
}

export interface Upstream {
  readonly url: string;
  readonly exchanges: readonly { readonly status: number; readonly body: unknown }[];
  begin(play: Play): void;
  close(): void;
}
export function startUpstream(format: unknown): Promise<Upstream>;

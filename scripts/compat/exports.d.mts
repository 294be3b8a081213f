export interface Target {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly prompt: string;
}
export interface Agent {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly wires: Readonly<
    Record<
      string,
      (target: Target) => { readonly env?: Record<string, string>; readonly files?: Record<string, string> }
    >
  >;
}
export const AGENTS: readonly Agent[];

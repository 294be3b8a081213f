/** A layer of Express's router, as far as it is read. */
export interface Layer {
  readonly name: string;
  readonly handle: unknown;
  /** Undefined for middleware. Methods are in lower case. */
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** The layers of the router in the order in which they run. @param express Express's application */
export function layersOf(express: unknown): readonly Layer[] {
  return (express as { readonly router: { readonly stack: readonly Layer[] } }).router.stack;
}

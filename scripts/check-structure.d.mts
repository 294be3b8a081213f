export declare function findFaults(
  imports: readonly { from: string; to: string }[],
  floors?: readonly (readonly string[])[],
): { unknown: string[]; upward: string[]; cycles: string[] };

/** Asks again until the condition holds; for what another process does, where there is no event to await. `patience` (ms) only ends a wait that would never end. */
export async function until(condition: () => Promise<boolean> | boolean, patience = 90_000): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`the condition did not hold within ${patience} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A PostgreSQL of its own, for what cannot be done to a server that other tests use. */
export function startPostgres(): Promise<{ url: string; pid: number; stop: () => Promise<void> }>;

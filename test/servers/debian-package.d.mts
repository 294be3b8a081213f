export function installedFrom<Found>(name: string, fix: string, find: () => Found | undefined): Found;
export function freePort(): Promise<number>;

export function pythonVersion(): string | undefined;
export const PYTHON_FIX: string;
export function pythonEnvironment(requirements: string): string;

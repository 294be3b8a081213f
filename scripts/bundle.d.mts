export declare function escapeNonAscii(text: string): string;
export declare function nameClassesAlone(text: string): string;
export declare function bundleDependencies(dist: string): Promise<void>;
export declare function bundleApplication(dist: string): Promise<void>;

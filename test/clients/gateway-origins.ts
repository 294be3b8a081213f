/** Origins of the gateways that this file's tests have started. */
export const gatewayOrigins = new Set<string>();

import { webhookUrlFault } from '../webhooks/webhook-address.js';
import type { AlertWebhook } from './gateway-config.js';
import type { GatewayFile } from './settings/gateway-file.js';

/** Where budget events are posted; undefined where they are logged only. */
export function readAlerts(
  alerts: GatewayFile['alerts'],
  allowPrivate: boolean,
  fault: (path: string, message: string) => void,
): AlertWebhook | undefined {
  const { webhook_url: url, webhook_secret: secret, webhook_format: format = 'events' } = alerts ?? {};
  if (url === undefined && secret === undefined && alerts?.webhook_format === undefined) return undefined;
  const urlFault =
    url === undefined ? 'is required with webhook_secret and webhook_format' : webhookUrlFault(url, allowPrivate);
  if (urlFault !== undefined) fault('alerts.webhook_url', urlFault);
  const isUnsigned = secret === undefined && format !== 'slack';
  if (isUnsigned) {
    fault(
      'alerts.webhook_secret',
      'is required with webhook_url, unless webhook_format is slack. Make one with: echo whsec_$(openssl rand -base64 32)',
    );
  }
  return url === undefined || isUnsigned ? undefined : { url, secret, format };
}

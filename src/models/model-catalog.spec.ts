import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { loadConfig } from '../config/load-config.js';
import { RoutingConfig } from '../config/routing-config.js';
import { PriceCatalog } from '../pricing/price-catalog.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import { Routing } from '../routing/routing.service.js';
import { ModelCatalog } from './model-catalog.js';

async function serve(model: string): Promise<Server> {
  const body = JSON.stringify({ object: 'list', data: [{ id: model, object: 'model', created: 1, owned_by: 'x' }] });
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

it('lists what the provider of the new configuration has, as soon as a reload has put it in place', async () => {
  const servers = [await serve('old-model'), await serve('new-model')];
  const loaded = loadConfig({ env: { OPENAI_API_KEY: 'sk-1' }, cwd: '/nowhere' });
  const at = (server: Server) => ({
    ...loaded,
    providers: loaded.providers.map((provider) => ({ ...provider, baseUrl: addressOf(server) })),
  });
  const [first, second] = servers as [Server, Server];
  const config = new RoutingConfig(at(first));
  const routing = new Routing(config, new Deployments());
  const list = new ModelCatalog(config, routing, new PriceCatalog());
  const ids = async () => (await list.all()).map(({ id }) => id);
  try {
    expect(await ids()).toEqual(['openai/old-model']);
    config.replace(at(second));
    expect(await ids()).toEqual(['openai/new-model']);
  } finally {
    await routing.onApplicationShutdown();
    for (const server of servers) server.close();
  }
});

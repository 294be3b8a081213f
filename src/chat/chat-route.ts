import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { KeyGuard } from '../auth/key.guard.js';
import type { Principal } from '../auth/principal.js';
import type { GatewayConfig } from '../config/gateway-config.js';
import { GatewayExceptionFilter } from '../http/gateway-exception.filter.js';
import type { RequestHook, HttpRequest, HttpResponse } from '../http/http-types.js';
import { JsonBodyGuard } from '../http/json-body.guard.js';
import { parseChatRequest } from './chat-request.pipe.js';
import { ChatController } from './chat.controller.js';

const PATH = '/v1/chat/completions';
const ROUTE = { path: PATH };
const UNPREFIXED = '/chat/completions';
/** What the decorators that the guards read are on. */
const HANDLER = Reflect.get(ChatController.prototype, 'createChatCompletion') as unknown as () => void;

/**
 * Serves the chat route ahead of Express, whose own work for a request is as much as all of the gateway's. What decides is the
 * same as there: preparations, guards, pipe, controller and filter are the very ones that Nest calls. A request that is
 * spelled in another way (a query, a trailing slash) or that CORS has a say in goes through Express.
 */
export class ChatRoute {
  private readonly controller: ChatController;
  private readonly keyGuard: KeyGuard;
  private readonly bodyGuard: JsonBodyGuard;
  private readonly filter: GatewayExceptionFilter;
  private readonly hasCors: boolean;

  constructor(
    app: INestApplication,
    { server }: GatewayConfig,
    private readonly preparations: readonly RequestHook[],
  ) {
    this.controller = app.get(ChatController, { strict: false });
    this.keyGuard = app.get(KeyGuard, { strict: false });
    this.bodyGuard = app.get(JsonBodyGuard, { strict: false });
    this.filter = app.get(GatewayExceptionFilter, { strict: false });
    this.hasCors = server.corsOrigins.length > 0;
  }

  /** From now on the server asks this route first. */
  takeFrom(server: Server): void {
    const others = server.listeners('request') as ((request: HttpRequest, response: HttpResponse) => void)[];
    server.removeAllListeners('request');
    const [express, ...watchers] = others;
    if (express === undefined) throw new Error('Express must be listening before the chat route is put ahead of it');
    server.on('request', (request: HttpRequest, response: HttpResponse) => {
      if (this.serves(request)) void this.serve(request, response);
      else express(request, response);
    });
    for (const watcher of watchers) server.on('request', watcher);
  }

  private serves({ method, url, headers }: HttpRequest): boolean {
    return method === 'POST' && (url === PATH || url === UNPREFIXED) && !(this.hasCors && headers.origin !== undefined);
  }

  private async serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    response.locals = {};
    const context = new ExecutionContextHost([request, response], ChatController, HANDLER);
    try {
      for (const prepare of this.preparations) prepare(request, response);
      request.route = ROUTE;
      const isAllowed = this.keyGuard.canActivate(context);
      if (isAllowed !== true) await isAllowed;
      await this.bodyGuard.canActivate(context);
      const body = parseChatRequest(request.body);
      await this.controller.createChatCompletion(body, request.user as Principal, request, response);
    } catch (error) {
      this.filter.catch(error, context);
    }
  }
}

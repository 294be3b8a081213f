import {
  type CallHandler,
  type CanActivate,
  Body,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Post,
  type PipeTransform,
  type Provider,
  Req,
  Res,
  type Type,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { GatewayConfig } from '../config/gateway-config.js';
import { GatewayExceptionFilter } from '../http/gateway-exception.filter.js';
import type { HttpResponse } from '../http/http-types.js';
import { JsonBodyInterceptor } from '../http/json-body.interceptor.js';
import { FastPath } from './fast-path.js';
import { ModelEndpoint } from './model-endpoint.decorator.js';

class Upper implements PipeTransform {
  transform(value: unknown): unknown {
    return typeof value === 'object' ? { ...value, piped: true } : value;
  }
}
class Through implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}
class Never implements CanActivate {
  canActivate(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
class Around {
  intercept(_context: ExecutionContext, next: CallHandler): unknown {
    return next.handle();
  }
}
class OtherFilter {
  catch(): void {
    return;
  }
}
function extra(_request: unknown, _response: unknown, next: () => void): void {
  next();
}

@Controller('v1')
class Plain {
  @ModelEndpoint()
  @Post(['things', 'others'])
  make(@Body(Upper) body: unknown, @Res() response: HttpResponse): Promise<void> {
    response.end(JSON.stringify({ body, status: response.statusCode }));
    return Promise.resolve();
  }

  @Get('things')
  @UseInterceptors(Around)
  list(): string {
    return 'not a model endpoint';
  }
}
@UseGuards(Through)
@Controller('v1')
class Guarded {
  @ModelEndpoint()
  @Post('guarded')
  make(@Res() response: HttpResponse): void {
    response.end();
  }
}
@Controller('v1')
class Intercepted {
  @UseInterceptors(Around)
  @ModelEndpoint()
  @Post('intercepted')
  make(@Res() response: HttpResponse): void {
    response.end();
  }
}
@Controller('v1')
class WithHeader {
  @Header('x-more', '1')
  @ModelEndpoint()
  @Post('headers')
  make(@Res() response: HttpResponse): void {
    response.end();
  }
}
@Controller('v1')
class Returning {
  @ModelEndpoint()
  @Post('returning')
  make(@Req() request: object): boolean {
    return 'id' in request;
  }
}
@Controller('v1')
class PartOfBody {
  @ModelEndpoint()
  @Post('part')
  make(@Body('model') model: string, @Res() response: HttpResponse): void {
    response.end(model);
  }
}

interface Setup {
  readonly controllers?: readonly Type[];
  readonly providers?: readonly Provider[];
  readonly middleware?: boolean;
  readonly use?: boolean;
  readonly filter?: boolean;
  readonly body?: boolean;
}

describe('the fast path', () => {
  let app: INestApplication | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  async function start(setup: Setup): Promise<string> {
    const { controllers = [], providers = [], middleware, use, filter = true, body = true } = setup;
    const config = {
      server: { corsOrigins: [], maxBodySize: 1_000 },
      batch: { maxBodySize: 1_000 },
      files: { maxSize: 1_000 },
    };

    @Module({
      controllers: [Plain, ...controllers],
      providers: [
        FastPath,
        { provide: GatewayConfig, useValue: config },
        ...(filter ? [{ provide: APP_FILTER, useClass: GatewayExceptionFilter }] : []),
        ...(body ? [{ provide: APP_INTERCEPTOR, useClass: JsonBodyInterceptor }] : []),
        ...providers,
      ],
    })
    class TestModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        if (middleware === true) consumer.apply(extra).forRoutes('v1/things');
      }
    }
    app = await NestFactory.create(TestModule, { bodyParser: false, logger: false, abortOnError: false });
    if (use === true) app.use(extra);
    const prepared = (_request: unknown, response: HttpResponse, next: () => void): void => {
      response.setHeader('x-through', 'express');
      next();
    };
    app.use(prepared);
    app.get(FastPath).takeFrom(app.getHttpServer() as Parameters<FastPath['takeFrom']>[0], {
      preparations: [(_request, response) => response.setHeader('x-through', 'fast path')],
      known: [prepared],
    });
    await app.listen(0, '127.0.0.1');
    return (await app.getUrl()).replace('[::1]', '127.0.0.1');
  }

  it.each(['/v1/things', '/things', '/v1/others', '/v1/things?x=1', '/v1/things/'])(
    'serves the paths of model endpoints as Nest does: %s',
    async (path) => {
      const url = await start({ providers: [{ provide: APP_GUARD, useClass: Through }] });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url + path, { method: 'POST', headers, body: '{"a":1}' });
      const isFast = !/\?|\/$/.test(path);
      expect(response.headers.get('x-through')).toBe(isFast ? 'fast path' : 'express');
      expect(await response.json()).toEqual({ body: { a: 1, piped: true }, status: 200 });
    },
  );

  it('reads a body after the guards and before the pipes, and sends its faults through the filter', async () => {
    const url = await start({});
    const send = (body: string): Promise<Response> =>
      fetch(`${url}/v1/things`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect((await send('{"a":')).status).toBe(400);
    expect((await send(JSON.stringify('x'.repeat(1_000)))).status).toBe(413);
    await app?.close();
    const guarded = await start({ providers: [{ provide: APP_GUARD, useClass: Never }] });
    const refused = await fetch(`${guarded}/v1/things`, { method: 'POST', body: 'no JSON, and not read' });
    expect(refused.status).toBe(403);
  });

  it('leaves other methods to Express, and runs global guards', async () => {
    const url = await start({ providers: [{ provide: APP_GUARD, useClass: Never }] });
    expect((await fetch(`${url}/v1/things`)).headers.get('x-through')).toBe('express');
    const refused = await fetch(`${url}/v1/things`, { method: 'POST' });
    expect([refused.status, refused.headers.get('x-through')]).toEqual([403, 'fast path']);
  });

  it.each<[string, Setup, RegExp]>([
    ['a global pipe', { providers: [{ provide: APP_PIPE, useClass: Upper }] }, /global pipe Upper/],
    ['a global interceptor', { providers: [{ provide: APP_INTERCEPTOR, useClass: Around }] }, /interceptor Around/],
    ['another global filter', { providers: [{ provide: APP_FILTER, useClass: OtherFilter }] }, /filter OtherFilter/],
    ['no filter', { filter: false }, /GatewayExceptionFilter/],
    ['no reading of bodies', { body: false }, /JsonBodyInterceptor/],
    ['middleware of a module', { middleware: true }, /middleware/],
    ['middleware of the application', { use: true }, /middleware extra/],
    ['a guard of a controller', { controllers: [Guarded] }, /guards of Guarded\.make/],
    ['an interceptor of a handler', { controllers: [Intercepted] }, /interceptors of Intercepted\.make/],
    ['a header', { controllers: [WithHeader] }, /@Header of WithHeader\.make/],
    ['a handler that Nest answers for', { controllers: [Returning] }, /returned value of Returning\.make/],
    ['a part of the body', { controllers: [PartOfBody] }, /parameter 0 of PartOfBody\.make/],
  ])('does not let the application start with %s', async (_name, setup, message) => {
    await expect(start(setup)).rejects.toThrow(message);
  });
});

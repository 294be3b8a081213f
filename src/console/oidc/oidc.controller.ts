import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../auth/public.decorator.js';
import type { HttpRequest, HttpResponse } from '../../http/http-types.js';
import { OidcSignIn } from './oidc-sign-in.service.js';

/** Redirects of browsers, which are no API: docs/console.md describes them. */
@ApiExcludeController()
@Public()
@Controller('v1/session/oidc')
export class OidcController {
  constructor(private readonly signIn: OidcSignIn) {}

  @Get()
  begin(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.signIn.begin(request, response);
  }

  @Get('callback')
  complete(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return this.signIn.complete(request, response);
  }
}

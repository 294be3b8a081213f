import { Body, Controller, Delete, Get, Post, Req, Res, UsePipes } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiKeySecurity } from '../auth/admin.decorator.js';
import { isOverHttps } from '../auth/sessions/session-cookie.js';
import { AnyScope, Public } from '../auth/public.decorator.js';
import { ApiErrorResponses, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { EndedSessionDto, OwnSessionDto, SignInDto, SignInMethodsDto } from './session.dto.js';
import { SessionService } from './session-service.js';

@ApiTags('Session')
@UsePipes(StrictBodyPipe)
@Controller('v1/session')
export class SessionController {
  constructor(private readonly sessions: SessionService) {}

  @ApiOperation({
    summary: 'Sign in to the console',
    description:
      'Starts a session with the rights of the key, and sets its cookie (HttpOnly, SameSite=Strict). Requests with that cookie need no key; those that are not a GET need its `csrf_token` in the header `x-csrf-token`. Programs send their key with each request instead.',
  })
  @ApiCreatedResponse({ type: OwnSessionDto, description: 'The session.', headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(400, 401, 403, 404, 413, 415, 429, 503)
  @Public()
  @Post()
  createSession(
    @Body() { key }: SignInDto,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<OwnSessionDto> {
    return this.sessions.signIn(key, request, response);
  }

  @ApiOperation({
    summary: 'Read how to sign in',
    description: 'What the sign-in page offers. It needs no key.',
  })
  @ApiOkResponse({ type: SignInMethodsDto, headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(404)
  @Public()
  @Get('methods')
  readSignInMethods(): SignInMethodsDto {
    return this.sessions.methods();
  }

  @ApiOperation({
    summary: 'Read your own session',
    description: 'Who is signed in, and the CSRF token. 404 where the request carries a key instead of a session.',
  })
  @ApiOkResponse({ type: OwnSessionDto, headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(401, 403, 404, 503)
  @ApiKeySecurity()
  @AnyScope()
  @Get()
  readOwnSession(@Req() { consoleSession }: HttpRequest): OwnSessionDto {
    return this.sessions.own(consoleSession);
  }

  @ApiOperation({ summary: 'Sign out', description: 'Ends your own session and takes its cookie away.' })
  @ApiOkResponse({ type: EndedSessionDto, description: 'The ended session.', headers: REQUEST_ID_HEADER })
  @ApiErrorResponses(400, 401, 403, 404, 413, 415, 503)
  @ApiKeySecurity()
  @AnyScope()
  @Delete()
  deleteOwnSession(
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<EndedSessionDto> {
    return this.sessions.signOut(request.consoleSession, isOverHttps(request), response);
  }
}

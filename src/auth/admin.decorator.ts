import { applyDecorators, Controller, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { RequireScope } from './public.decorator.js';

/** Documents that a route takes a key, in either of the two headers. */
export const ApiKeySecurity = (): ClassDecorator & MethodDecorator =>
  applyDecorators(ApiBearerAuth('bearer'), ApiSecurity('x-api-key'));

/**
 * A controller for operators: requires the scope `admin`, rejects unknown members of bodies and queries, and documents this in
 * Swagger.
 *
 * @param tag of its routes in Swagger
 * @param path such as `v1/admin/keys`
 */
export const Admin = (tag: string, path: string): ClassDecorator =>
  applyDecorators(ApiTags(tag), ApiKeySecurity(), RequireScope('admin'), UsePipes(StrictBodyPipe), Controller(path));

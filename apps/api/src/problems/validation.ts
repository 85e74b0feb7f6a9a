import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldError, Invalid } from './problems.js';

/**
 * Checks every body and query against its class. Unknown fields are refused; every wrong field is named,
 * nested ones as `overlays.2.overlayId`.
 */
@Injectable()
export class Validation extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      stopAtFirstError: false,
      exceptionFactory: (errors: ValidationError[]) => new Invalid(fieldErrors(errors)),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // Nest would turn "1e3" or "0x10" into a number before IdPipe sees it.
    if (metadata.type === 'param') return value;
    if (metadata.type === 'body' && metadata.metatype && this.toValidate(metadata) && !isObject(value ?? {})) {
      throw new Invalid([{ path: '', message: 'must be a JSON object' }]);
    }
    return super.transform(value, metadata);
  }
}

const types = ['isString', 'isInt', 'isNumber', 'isBoolean', 'isArray', 'isObject', 'isIn', 'isEnum'];

/** Flattens class-validator's tree. A missing field, or one of a wrong type, is told once. */
export function fieldErrors(errors: ValidationError[], parent = ''): FieldError[] {
  return errors.flatMap((error) => {
    const path = parent ? `${parent}.${error.property}` : error.property;
    return [...messages(error).map((message) => ({ path, message })), ...fieldErrors(error.children ?? [], path)];
  });
}

function messages({ property, value, constraints = {} }: ValidationError): string[] {
  if ('whitelistValidation' in constraints) return ['is not a field that exists here'];
  if (Object.keys(constraints).length === 0) return [];
  if (value === undefined) return ['is missing'];
  if ('nestedValidation' in constraints && !('isArray' in constraints)) return ['must be an object'];
  const type = types.find((name) => name in constraints);
  const told = type ? [constraints[type] ?? ''] : Object.values(constraints);
  // class-validator begins with the property's name, which the path says already.
  return told.map((message) => (message.startsWith(`${property} `) ? message.slice(property.length + 1) : message));
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { ValidateIf } from 'class-validator';

/** The field may be left out, but not be null (IsOptional lets null pass, and a change would write it). */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

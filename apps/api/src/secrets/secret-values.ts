import { Inject, Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { SealedTexts } from './sealed-texts.js';

/** The values of users' secrets, encrypted at rest. */
@Injectable()
export class SecretValues extends SealedTexts {
  constructor(@Inject(RunningSettings) settings: Pick<RunningSettings, 'secretKey'>) {
    super(settings.secretKey, 'left4me user secret 1', 'secret');
  }
}

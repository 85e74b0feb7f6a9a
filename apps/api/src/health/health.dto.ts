import { ApiProperty } from '@nestjs/swagger';

export class Alive {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

export class ServiceState {
  @ApiProperty({ enum: ['ok', 'down'] })
  status: 'ok' | 'down';

  @ApiProperty({ required: false, description: 'What is wrong, where something is.' })
  detail?: string;
}

export class Readiness {
  @ApiProperty({ enum: ['ok', 'down'] })
  status: 'ok' | 'down';

  @ApiProperty({ type: ServiceState })
  postgres: ServiceState;

  @ApiProperty({ type: ServiceState })
  redis: ServiceState;
}
